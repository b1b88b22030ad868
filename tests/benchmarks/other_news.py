"""A stream of other news, from the patterns in tests/data/news: articles that name companies and state no relation.

Run with `python -m tests.benchmarks.other_news`: how many of the articles are taken for relevant. The weights of
extraction are fitted with the patterns on even lines (`tests.benchmarks.fit_labels`), so those on odd lines tell what
other news does. Most of a natural stream names no two companies at all; here every article does, and so is harder.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tieup.claims.extract import Extractor
from tieup.companies.gazetteer import load_gazetteer
from tieup.evaluation.gold import GoldArticle
from tieup.model.article import Article

PATTERNS = Path(__file__).parents[1] / "data" / "news" / "other_news.txt"
COMPANIES = (
    ("Tesla", "BYD", "Volkswagen"), ("Ford", "General Motors", "Stellantis"), ("BMW", "Mercedes-Benz", "Audi"),
    ("Toyota", "Honda", "Nissan"), ("Hyundai", "Kia", "Renault"), ("Nvidia", "Intel", "Qualcomm"),
    ("Bosch", "Continental", "ZF"), ("CATL", "LG Energy Solution", "Panasonic"), ("Uber", "Lyft", "Waymo"),
    ("Xiaomi", "Nio", "Xpeng"), ("Rivian", "Lucid", "Polestar"), ("Volvo", "Geely", "Porsche"),
)  # fmt: skip
CHINESE = (
    ("特斯拉", "比亚迪", "大众"), ("小米", "蔚来", "小鹏"), ("宁德时代", "松下", "三星"), ("吉利", "长安", "奇瑞"),
    ("丰田", "本田", "日产"), ("宝马", "奔驰", "奥迪"),
)  # fmt: skip
AT = datetime(2026, 2, 1, tzinfo=UTC)


def other_news(*, odd: bool, each: int) -> Iterator[GoldArticle]:
    """Yield the articles of the patterns on odd (even) lines, each with so many different companies."""
    lines = PATTERNS.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        if (number % 2 == 1) is not odd:
            continue
        language, title, text = line.split("|")
        named = CHINESE if language == "zh" else COMPANIES
        for turn in range(each):
            a, b, c = named[(number + 5 * turn) % len(named)]
            filled = [one.format(a=a, b=b, c=c) for one in (title, text)]
            yield GoldArticle(f"other-{number}-{turn}", filled[0], filled[1], lang=language, story=f"other-{number}")


def main() -> None:
    """Print how many articles are wrongly taken for relevant, and which patterns they follow."""
    extractor = Extractor(load_gazetteer())
    for odd in (False, True):
        gold = list(other_news(odd=odd, each=12))
        wrong = [
            one
            for one in gold
            if extractor.extract(
                Article(one.id, 1, one.title, one.text or "", observed_at=AT, published=AT, language=one.lang)
            ).relations
        ]
        print(f"{'odd, unseen' if odd else 'even, fitted'}: {len(wrong)} of {len(gold)} taken for relevant")
        patterns: dict[str, int] = {}
        for one in wrong:
            patterns[one.id.split("-")[1]] = patterns.get(one.id.split("-")[1], 0) + 1
        print("  by line of the patterns:", patterns)


if __name__ == "__main__":
    main()
