"""Invented names for a million people: some common, most rare, with accents and in Chinese; the same for each seed."""

from __future__ import annotations

import random

_FIRST = """
    Anna Maria José Zoë François Søren Łukasz Renée Jürgen Ingrid Chloé Nicolás Ann Andrea Andrew Antonio Mary John
    James Robert Michael William David Richard Thomas Charles Christopher Daniel Matthew Mark Paul Steven Kenneth
    Joshua Kevin Brian George Edward Ronald Timothy Jason Jeffrey Ryan Jacob Gary Nicholas Eric Stephen Jonathan
    Larry Justin Scott Brandon Frank Benjamin Gregory Samuel Raymond Patrick Alexander Jack Dennis Jerry Patricia
    Linda Barbara Elizabeth Jennifer Susan Margaret Dorothy Lisa Nancy Karen Betty Helen Sandra Donna Carol Ruth
    Sharon Michelle Laura Sarah Kimberly Deborah Jessica Shirley Cynthia Angela Melissa Brenda Amy Rebecca Virginia
    Kathleen Pamela Martha Debra Amanda Stephanie Carolyn Christine Marie Janet Catherine Frances Joyce Diane Alice
    Özlem Åsa Émile Ünal Íñigo Đorđe Željko Éva Þór Jean-Luc Mary-Jane Beyoncé Siân Noël Anaïs Gülşen Ștefan
""".split()  # noqa: SIM905
_LAST = """
    Smith Johnson Williams Brown Jones Garcia Miller Davis Rodríguez Martínez Hernández López González Wilson
    Anderson Thomas Taylor Moore Jackson Martin Lee Pérez Thompson White Harris Sánchez Clark Ramírez Lewis
    Robinson Walker Young Allen King Wright Scott Torres Nguyễn Hill Flores Green Adams Nelson Baker Hall Rivera
    Campbell Mitchell Carter Roberts O'Brien O'Neill Müller Schäfer Weiß Çelik Öztürk Nováková Dvořák Kowalski
    Wiśniewski Lindström Ångström Haugen Kjær Ærø Brontë Guðmundsson Ibáñez Núñez Peña Muñoz
""".split()  # noqa: SIM905
_SYLLABLES = """
    ba be bo da de di fa fi ga go ha ho ja ka ke ki la le li lo ma me mi mo na ne no pa pe ra re ri ro
    sa se si so ta te ti to va ve vi wa we za zo
""".split()  # noqa: SIM905
_SURNAMES = "王李張劉陳楊趙黃周吳徐孫胡朱高林何郭馬羅梁宋鄭謝韓唐馮于董蕭程曹袁鄧許傅沈曾彭呂"
_GIVEN = (
    "明偉芳娜敏靜麗強磊軍洋勇艷傑娟濤超秀霞平剛桂英華玉萍紅梅文建國志雲海天宇浩雅婷怡君淑惠美珍家豪俊宏冠廷宗翰詩涵"
)
# Names of which there is one bearer in the whole population.
RARE = ("Quetzalcóatl", "Xylophon", "Zwischenraum")


def first_names() -> list[str]:
    return list(_FIRST)


def last_names(rnd: random.Random, number: int) -> list[str]:
    """The common ones first: whoever draws from the beginning more often makes them common."""
    made = {"".join(rnd.choices(_SYLLABLES, k=rnd.choice((2, 3, 3, 4)))).capitalize() for _ in range(number)}
    return [*_LAST, *sorted(made, key=lambda name: (rnd.random(), name))]


def chinese_names(rnd: random.Random, number: int) -> list[str]:
    return [rnd.choice(_SURNAMES) + "".join(rnd.choices(_GIVEN, k=rnd.choice((1, 2, 2, 2)))) for _ in range(number)]
