"""The pages' own code makes no HTML of texts, and asks nobody else for anything."""

from pathlib import Path

import midipool.web

ROOT = Path(__file__).parents[1]
FOLDERS = (
    midipool.web.FOLDER,
    ROOT / "client/midipool_client/page/static",
    ROOT / "server/midipool_server/static",
)
NEVER = ("innerHTML", "outerHTML", "insertAdjacentHTML", "unsafeHTML", "eval(", "https://")


def test_the_pages_own_code_makes_no_html_of_texts_and_asks_nobody_else() -> None:
    every = [path for folder in FOLDERS for path in folder.glob("*.*")]
    own = [path for path in every if path.suffix in (".js", ".html", ".css")]
    assert len(own) > 20
    for path in own:
        text = path.read_text()
        for word in NEVER:
            assert word not in text, f"{path.name}: {word}"
