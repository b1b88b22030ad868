"""The pages behind the links in messages: plain HTML, nothing loaded, every word from outside escaped."""

from collections.abc import Mapping
from html import escape
from typing import Final

from tieup.model.mark import MAX_NOTE_CHARS, Fault

FAULTS: Final[Mapping[Fault, str]] = {
    Fault.NO_TIE: "There is no such tie",
    Fault.PARTIES: "The companies are wrong",
    Fault.KIND: "It is another sort of agreement",
    Fault.STAGE: "It is not that far, or further",
    Fault.FACTUALITY: "It is surer, or less sure, than told",
    Fault.SPEAKER: "Somebody else said it",
    Fault.OLD_NEWS: "It is old news",
    Fault.OTHER: "Something else",
}

_STYLE: Final = """
:root { color-scheme: light dark }
body { margin: 0; font: 17px/1.5 system-ui, sans-serif; background: Canvas; color: CanvasText }
main { max-width: 36rem; margin: 12vh auto 4rem; padding: 0 1.25rem }
h1 { font-size: 1.35rem; line-height: 1.3; margin: 0 0 .5rem }
p { margin: .5rem 0 }
.told { margin: 1.25rem 0; padding: .1rem 0 .1rem 1rem; border-left: 3px solid #9ca3af }
fieldset { border: 0; margin: 1.25rem 0; padding: 0 }
label { display: block; padding: .3rem 0 }
input[type=radio] { margin: 0 .6rem 0 0; width: 1.1rem; height: 1.1rem; vertical-align: -.15rem }
textarea { box-sizing: border-box; width: 100%; height: 5rem; margin-top: .3rem; padding: .6rem; font: inherit;
  border: 1px solid #9ca3af; border-radius: .4rem; background: Field; color: FieldText }
button { margin-top: .5rem; padding: .6rem 1.2rem; font: inherit; font-weight: 600; border: 0; border-radius: .4rem;
  background: #1d4ed8; color: #fff; cursor: pointer }
small { color: GrayText }
"""
_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>{title}</title><style>{style}</style></head>
<body><main>
{body}
</main></body></html>
"""


def wrong_page(headline: str | None) -> bytes:
    """Return the form by which an event is marked as wrong; sending it is what marks."""
    told = f'<p class="told">{escape(headline)}</p>' if headline else ""
    choices = "\n".join(
        f'<label><input type="radio" name="fault" value="{fault.value}" required>{escape(words)}</label>'
        for fault, words in FAULTS.items()
    )
    return _page(
        "Mark as wrong",
        f"""<h1 id="asked">What is wrong?</h1>
{told}
<form method="post">
<fieldset aria-labelledby="asked">
{choices}</fieldset>
<label for="note">In your words <small>(if you like)</small></label>
<textarea id="note" name="note" maxlength="{MAX_NOTE_CHARS}"></textarea>
<button>Mark as wrong</button>
</form>
<p><small>Whoever runs tieup sees this and corrects the story; nothing changes before.</small></p>""",
    )


def marked_page() -> bytes:
    """Return what is said after an event was marked."""
    return _page("Thank you", "<h1>Thank you</h1>\n<p>It is on the list of whoever runs this service.</p>")


def stop_page(names: list[str]) -> bytes:
    """Return the form by which an address is told no more."""
    rows = "".join(f"<li>{escape(name)}</li>" for name in names)
    asked = f"<p>It is told of:</p>\n<ul>{rows}</ul>" if rows else "<p>It is told of nothing any more.</p>"
    button = '<form method="post"><button>Be told no more</button></form>' if rows else ""
    return _page("Be told no more", f"<h1>Tell this address no more?</h1>\n{asked}\n{button}")


def stopped_page() -> bytes:
    """Return what is said after an address was taken from all alerts."""
    return _page("Done", "<h1>Done</h1>\n<p>This address is told no more.</p>")


def _page(title: str, body: str) -> bytes:
    return _PAGE.format(title=escape(title), style=_STYLE, body=body).encode()
