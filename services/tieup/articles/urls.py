"""Canonical URLs and registrable domains, offline.

A canonical URL names a page, however the link to it was decorated: it identifies articles and is never requested.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, unquote_plus, urlsplit, urlunsplit

import tldextract
from w3lib.url import canonicalize_url

from tieup.errors import DataError

MAX_URL_CHARS: Final = 4_096
MAX_PARAMETERS: Final = 200

MAX_HOSTS_KEPT: Final = 20_000

_PORTS: Final = {"http": 80, "https": 443}
# What most links are: nothing to decode or to encode, no port, no empty label. Its rules need no parser.
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_SIMPLE: Final = re.compile(
    rf"https?://((?:{_LABEL}\.){{1,8}}[a-z]{{2,63}})(/[\w.~/-]{{0,1000}})?"
    r"(?:\?([\w.~-]{1,100}=[\w.~-]{0,500}(?:&[\w.~-]{1,100}=[\w.~-]{0,500}){0,20}))?",
    re.ASCII,
)
_AMP_CACHE: Final = re.compile(r"^[a-z0-9-]+\.cdn\.ampproject\.org$")
_AMP_CACHE_PATH: Final = re.compile(r"^/(?:c|v|a)(?:/s)?/([^/]+\.[^/]+)(/.*)?$")
_AMP_VIEWER: Final = re.compile(r"^(?:www\.)?(?:google\.[a-z.]{2,6}|bing\.com)$")
_AMP_VIEWER_PATH: Final = re.compile(r"^/amp/(?:s/)?([^/]+\.[^/]+)(/.*)?$")
_AMP_PATH: Final = re.compile(r"^/amp(?=/[^/])|(?:/amp/?|[.-]amp)+$|[.-]amp(?=\.html?$)")
_PECULIAR: Final = re.compile(r"amp|/\.", re.ASCII)  # a face of a page, or dot segments
_SESSION: Final = re.compile(r";jsessionid=[^/?;]*", re.IGNORECASE)
_FACES: Final = ("www.", "m.", "mobile.", "mobil.", "touch.", "amp.")


@dataclass(frozen=True, slots=True)
class Tracking:
    """Which query parameters are dropped: by prefix, by name, and by name only with certain values."""

    prefixes: tuple[str, ...]
    names: frozenset[str]
    values: dict[str, frozenset[str]]

    def drops(self, name: str, value: str) -> bool:
        """Whether the parameter says nothing about which page is meant."""
        name = name.lower().removeprefix("amp;")  # an ampersand that was escaped once too often
        return (
            name in self.names or name.startswith(self.prefixes) or value.lower() in self.values.get(name, frozenset())
        )


@cache
def load_tracking() -> Tracking:
    """Return the packaged table. Raises DataError if the file is not as it should be."""
    try:
        table = tomllib.loads(files("tieup.articles").joinpath("tracking.toml").read_text("utf-8"))
        values = {name: frozenset(found) for name, found in table["values"].items()}
        return Tracking(tuple(table["prefixes"]), frozenset(table["names"]), values)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"articles/tracking.toml: {error}") from error


def canonical_url(url: str) -> str:
    """Return the one form of a page's URL: no tracking, default port, fragment, AMP or mobile face or last slash;
    parameters sorted.

    `https` stands for both schemes and `www.` is dropped, so that two links to one page are equal. What is no http(s)
    URL comes back stripped. Idempotent; never raises.
    """
    url = clean_url(url)
    simple = _SIMPLE.fullmatch(url)
    if simple is not None and not _PECULIAR.search(simple[2] or "") and not simple[1].endswith(".ampproject.org"):
        return _canonical_simple(simple[1], simple[2], simple[3])
    return canonical_of_any(url)


def canonical_of_any(url: str) -> str:
    """Return the canonical form of a clean URL by the rules for any: what the short way for simple ones agrees with."""
    for _ in range(4):  # one rule may uncover work for another: /amp/amp, a cache of a cache
        canonical = _canonical_once(url)
        if canonical == url:
            break
        url = canonical
    return url


def clean_url(url: str) -> str:
    """Return a URL without white space, control characters and lone surrogates, cut to 4,096 characters."""
    if url.isprintable() and " " not in url:
        return url[:MAX_URL_CHARS]
    return "".join(char for char in url if char.isprintable() and not char.isspace())[:MAX_URL_CHARS]


def registrable_domain(url: str) -> str:
    """Return the domain that someone registered (`autonews.co.uk`), by the public suffix list's bundled snapshot.

    The unit of politeness and of partitioning. For an address or a single label it is the host itself; for what has no
    host, "". Never asks the network.
    """
    simple = _SIMPLE.fullmatch(url)
    return _registrable(url) if simple is None else _registrable_of(simple[1])


@lru_cache(maxsize=MAX_HOSTS_KEPT)
def _registrable_of(host: str) -> str:
    """Return the registrable domain of a host; many links are of one host."""
    return _registrable(f"https://{host}/")


def _registrable(url: str) -> str:
    if not url.isascii():  # one domain, however it is spelled
        url = urlunsplit(("https", _ascii(_host(url)), "", "", "")) if _host(url) else url
    found = _suffixes()(url)
    if found.suffix and found.domain:
        return f"{found.domain}.{found.suffix}".lower()
    host = _host(url).rstrip(".")
    if found.suffix or _is_address(host):
        return host
    return ".".join(host.split(".")[-2:])  # the list's own rule for a top-level domain that it lacks


def is_web_url(url: str) -> bool:
    """Whether this is an absolute http or https URL with a host."""
    if _SIMPLE.fullmatch(url):
        return True
    parts = _split(url)
    return parts is not None and parts.scheme in _PORTS and bool(parts.hostname)


def _canonical_simple(host: str, path: str | None, query: str | None) -> str:
    """Apply to a URL that needs no decoding the rules that `_canonical_once` applies to any."""
    pairs = sorted(tuple(pair.split("=")) for pair in query.split("&")) if query else []
    table = load_tracking()
    kept = "&".join(f"{name}={value}" for name, value in pairs if not table.drops(name, value))
    return f"https://{_without_face(host)}{_page(path or '') or '/'}{'?' if kept else ''}{kept}"


def _page(path: str) -> str:
    """Return a path without what says how the page is shown, not which page it is."""
    return _AMP_PATH.sub("", _SESSION.sub("", path)).rstrip("/")


def _canonical_once(url: str) -> str:
    parts = _split(url)
    if parts is None or parts.scheme not in _PORTS or not parts.hostname:
        return url
    host, path = _without_amp_cache(_ascii(parts.hostname).rstrip("."), parts.path)
    path = _page(path)
    query = _without_tracking(parts.query)
    netloc = _without_face(host) + _port(parts)
    try:
        canonical = str(canonicalize_url(urlunsplit(("https", netloc, path or "/", query, ""))))
    except ValueError:
        return url
    return canonical if len(canonical) <= MAX_URL_CHARS and clean_url(canonical) == canonical else url


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = (parts.port, parts.hostname)  # both raise late on nonsense
    except ValueError:
        return None
    return parts


def _host(url: str) -> str:
    parts = _split(url)
    return (parts.hostname or "") if parts is not None else ""


def _ascii(host: str) -> str:
    """Return a host in letters, digits and hyphens, or as it is where it is no name that can be written so."""
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return host


def _port(parts: SplitResult) -> str:
    return "" if parts.port in (None, _PORTS[parts.scheme]) else f":{parts.port}"


@lru_cache(maxsize=MAX_HOSTS_KEPT)
def _without_face(host: str) -> str:
    """Drop `www.`, `m.`, `mobile.` and `amp.` in front of a host, as long as a registrable domain is left."""
    if ":" in host:
        return f"[{host}]"
    for face in _FACES:
        rest = host.removeprefix(face)
        if rest != host and "." in rest and not _is_suffix(rest):
            return _without_face(rest)
    return host


def _is_suffix(host: str) -> bool:
    return _is_address(host) or _suffixes()(host).domain == ""


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _without_amp_cache(host: str, path: str) -> tuple[str, str]:
    match = _AMP_CACHE_PATH.match(path) if _AMP_CACHE.match(host) else None
    if _AMP_VIEWER.match(host):
        match = _AMP_VIEWER_PATH.match(path)
    return (match[1].lower(), match[2] or "/") if match else (host, path)


def _without_tracking(query: str) -> str:
    if not query:
        return ""
    table = load_tracking()
    pairs = [(pair, *pair.partition("=")[::2]) for pair in query.split("&", MAX_PARAMETERS)]
    # The bytes stay as they were: what is no UTF-8 would become the same replacement character everywhere.
    return "&".join(pair for pair, name, value in pairs if not table.drops(unquote_plus(name), unquote_plus(value)))


@cache
def _suffixes() -> tldextract.TLDExtract:
    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
