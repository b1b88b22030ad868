"""A message as plain text: for e-mail, and in less room for chats and phones."""

from collections.abc import Sequence
from typing import Final

from tieup.alerts.telling import Quote, Telling, Told

SHORT_QUOTE_CHARS: Final = 160


def text_body(message: Telling) -> str:
    """Return the whole message."""
    return "\n\n".join("\n".join(_whole(one)) for one in message.told) + "\n"


def chat_bodies(message: Telling) -> tuple[str, ...]:
    """Return the message in ever less room: whole, in brief, in a line. The title is told apart.

    Everything from outside is `tame`.
    """
    whole = "\n\n".join("\n".join(_chat(one, alone=not message.digest)) for one in message.told)
    brief = "\n".join(line for one in message.told for line in _brief(one, alone=not message.digest))
    first = message.told[0]
    return whole, brief, first.url or tame(first.labels)


def chat_title(message: Telling) -> str:
    """Return the one line above a chat's message."""
    return tame(message.title)


def tame(text: str) -> str:
    """Return a text with nothing that a chat takes for a mention, a tag or a link with another text.

    Apprise escapes for the service that it knows; this holds where a service reads more into plain text than that.
    """
    for found, instead in (("<", "‹"), (">", "›"), ("](", "] ("), ("@", "@\N{ZERO WIDTH NON-JOINER}"), ("`", "'")):
        text = text.replace(found, instead)
    return text


def _whole(one: Told) -> list[str]:
    lines = [one.headline, one.labels, ""]
    lines += [f"Changed: {change}" for change in one.changes]
    for quote in one.quotes:
        lines += ["", *_quote(quote)]
    lines += ["", "Who stands where:", *(f"  {it.party} {it.stance}" for it in one.standing)] if one.standing else []
    lines += ["", f"Origins: {one.origins}"] if one.origins else []
    if one.past:
        lines += ["", "Earlier ties:", *(line for it in one.past for line in _linked(f"  {it.text}", it.url))]
    lines += ["", f"Source: {one.source}"] if one.source else []
    lines += [f"  {one.url}"] if one.url else []
    lines += ["", *(f"Silenced: {name}" for name in one.silenced)] if one.silenced else []
    lines += ["", *(f"You asked for this: {reason}" for reason in one.reasons)]
    lines += [f"Mark as wrong: {one.wrong_url}"] if one.wrong_url else []
    return lines


def _quote(quote: Quote) -> Sequence[str]:
    said = f"  {quote.speaker} {quote.does} ({_place(quote)})"
    return [f"> {quote.text}", said, *([f"  {quote.url}"] if quote.url else [])]


def _place(quote: Quote) -> str:
    return ", ".join(part for part in (quote.publisher, f"{quote.at:%Y-%m-%d %H:%M} UTC") if part)


def _linked(text: str, url: str | None) -> list[str]:
    return [text, f"    {url}"] if url else [text]


def _chat(one: Told, *, alone: bool) -> list[str]:
    lines = [] if alone else [tame(one.headline)]
    lines.append(tame(one.labels))
    for quote in one.quotes[:3]:
        lines.append(f"“{tame(quote.text)}” – {tame(quote.speaker)} {quote.does}, {tame(_place(quote))}")
        lines += [quote.url] if quote.url else []
    lines += [f"{tame(it.party)} {it.stance}" for it in one.standing]
    lines += [f"Origins: {tame(one.origins)}"] if one.origins else []
    lines += [f"Silenced: {tame(name)}" for name in one.silenced[:5]]
    lines += [f"Earlier: {tame(it.text)}" for it in one.past[:2]]
    lines += [f"Source: {one.url}"] if one.url else []
    lines += [f"You asked for this: {tame(reason)}" for reason in one.reasons[:2]]
    lines += [f"Mark as wrong: {one.wrong_url}"] if one.wrong_url else []
    return lines


def _brief(one: Told, *, alone: bool) -> list[str]:
    lines = [] if alone else [tame(one.headline)]
    if alone and one.quotes:
        text = one.quotes[0].text
        short = text if len(text) <= SHORT_QUOTE_CHARS else f"{text[: SHORT_QUOTE_CHARS - 1]}…"
        lines.append(f"“{tame(short)}” – {tame(one.quotes[0].speaker)}")
    lines += [f"Origins: {tame(one.origins)}"] if alone and one.origins else []
    lines += [one.url] if one.url else []
    lines += [f"Wrong? {one.wrong_url}"] if alone and one.wrong_url else []
    return lines
