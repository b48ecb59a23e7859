"""Texts of people who mean harm, as chat and notes may hold them."""

from midipool.messages import ChatLine, LoadedSong, Song
from midipool.meter import Loop, Meter

NOTES = """# Intro <script>alert(1)</script>

| bar | chord |
| --- | --- |
| 1 | **Dm7** `x02210` |

Who begins: *piano*, then ~~all~~ **everybody**
second line, [the chart](https://example.org/chart), <b>not bold</b>

<img src=x onerror="alert(1)">
<iframe src="https://example.org"></iframe>
<svg/onload=alert(1)>

- [x] [click](javascript:alert(1)) [or](JaVaScRiPt:alert(1)) [data](data:text/html,<script>alert(1)</script>)
- [ ] ![a picture](https://example.org/x.png) <javascript:alert(1)>
- &lt;b&gt; &amp; "quotes" [ref]

[ref]: javascript:alert(1) "onerror=alert(1)"

1. one
2. two

```html
<script>alert(1)</script>
```

> quoted
"""  # noqa: E501 (a line of Markdown is a line)
DEEP = Song(9, 1, "deep", 90, notes=">" * 3000 + "[" * 2000 + "*a " * 900)

NAMES = ('<img src=x onerror="alert(1)">', "x" * 64)
SONGS = [
    Song(5, 1, NAMES[0], 132.512, Meter(7, 8), Loop(5, 13), '"><script>', NOTES),
    Song(6, 2, "Blue in Green", 56, key="Dm"),
    Song(7, 1, NAMES[1], 999),
    DEEP,
]
LOADED = LoadedSong(5, NAMES[0], 0)
TEXTS = (
    "<script>alert(1)</script> \"'&lt;",
    "the chart: https://example.org/chart?a=<b>&c=1, and javascript:alert(1)",
    "x" * 500,
    "hello",
)
LINES = [
    ChatLine(1, "came", NAMES[0], unix_ms=1_700_000_000_000),
    *(
        ChatLine(2 + n, "said", NAMES[n % 2], text, 0, 1_700_000_000_000 + n, n == 0)
        for n, text in enumerate(TEXTS)
    ),
    ChatLine(9, "did", None, "song <b>Blue</b> (56 BPM, 4/4)", unix_ms=1_700_000_001_000),
]
