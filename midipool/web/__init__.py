"""What both pages are made of, the player's and the server's: files, and what keeps them safe."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parent
TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def files_with(own: Path) -> dict[str, Path]:
    """A page's own files and the shared ones, by the paths under which they are served."""
    return {
        path.relative_to(folder).as_posix(): path
        for folder in (FOLDER, own)
        for path in folder.rglob("*")
        if path.suffix in TYPES
    }
