"""A message as HTML, for e-mail and for the entries of feeds: every field is escaped, and only http(s) is linked.

Styles stand in the elements, since mail programs drop style sheets; nothing is loaded from anywhere.
"""

from html import escape
from typing import Final

from tieup.alerts.telling import Quote, Telling, Told

_PAGE: Final = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
    "<title>{title}</title></head>\n"
    '<body style="margin:0;padding:24px 16px;font:16px/1.5 -apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif">'
    '\n<div style="max-width:640px;margin:0 auto">\n{body}\n</div></body></html>\n'
)
_FAINT: Final = "color:#6b7280;font-size:14px"
_RULE: Final = '<hr style="border:0;border-top:1px solid #d1d5db;margin:28px 0">'


def html_page(message: Telling, stop_url: str | None = None) -> str:
    """Return a whole document, with the link to be told no more at its end."""
    parts = [html_body(one, headline=True) for one in message.told]
    body = f"\n{_RULE}\n".join(parts)
    if stop_url is not None:
        body += f'\n{_RULE}\n<p style="{_FAINT}"><a href="{escape(stop_url)}">Be told no more at this address</a></p>'
    return _PAGE.format(title=escape(message.title), body=body)


def html_body(one: Told, *, headline: bool = False) -> str:
    """Return one event as the content of an element; feeds show the headline themselves."""
    parts = [f'<h1 style="font-size:20px;line-height:1.3;margin:0 0 4px">{escape(one.headline)}</h1>'] * headline
    parts.append(f'<p style="margin:0 0 16px;{_FAINT}">{escape(one.labels)}</p>')
    parts += [_list("Changed", [escape(change) for change in one.changes])] if one.changes else []
    parts += [_quote(quote) for quote in one.quotes]
    if one.standing:
        rows = [f"<b>{escape(it.party)}</b> {_linked(it.stance, it.url)}" for it in one.standing]
        parts.append(_list("Who stands where", rows))
    parts += [f"<p><b>Origins:</b> {escape(one.origins)}</p>"] if one.origins else []
    parts += [_list("Silenced", [escape(name) for name in one.silenced])] if one.silenced else []
    parts += [_list("Earlier ties", [_linked(it.text, it.url) for it in one.past])] if one.past else []
    source = one.source or one.url
    parts += [f"<p><b>Source:</b> {_linked(source, one.url)}</p>"] if source else []
    why = "<br>".join(f"You asked for this: {escape(reason)}" for reason in one.reasons)
    parts += [f'<p style="{_FAINT}">{why}</p>'] if why else []
    parts += [f"<p>{_linked('Mark as wrong', one.wrong_url)}</p>"] if one.wrong_url else []
    return "\n".join(parts)


def _quote(quote: Quote) -> str:
    place = ", ".join(part for part in (quote.publisher, f"{quote.at:%Y-%m-%d %H:%M} UTC") if part)
    return (
        '<blockquote style="margin:0 0 16px;padding:2px 0 2px 14px;border-left:3px solid #9ca3af">'
        f"{escape(quote.text)}<br>"
        f'<span style="{_FAINT}">{escape(quote.speaker)} {escape(quote.does)} · {_linked(place, quote.url)}</span>'
        "</blockquote>"
    )


def _list(title: str, rows: list[str]) -> str:
    items = "".join(f"<li>{row}</li>" for row in rows)
    return (
        f'<p style="margin:16px 0 4px"><b>{title}</b></p>\n<ul style="margin:0 0 16px;padding-left:20px">{items}</ul>'
    )


def _linked(text: str, url: str | None) -> str:
    return escape(text) if url is None else f'<a href="{escape(url)}">{escape(text)}</a>'
