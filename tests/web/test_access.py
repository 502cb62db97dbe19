"""Nothing answers without a sign-in but what has to, and every view names the right it needs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from syncadmin.web.access import Right

OPEN = {"sign-in", "sign-in-link", "sign-out", "set_language", "healthz", "sync-person-hook"}
SAMPLES = {
    "side": "dynamics",
    "link": 1,
    "guid": "00000000-0000-0000-0000-000000000001",
    "number": 1,
    "pk": 1,
    "code": "too_long",
    "table": "lead",
    "column": "jobtitle",
    "version": 1,
}


def _patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from _patterns(entry)
        else:
            yield entry


PATTERNS = [pattern for pattern in _patterns(get_resolver()) if pattern.name != "sign-in-link"]
CLOSED = [pattern for pattern in PATTERNS if pattern.name not in OPEN]


def _address(pattern: URLPattern) -> str:
    wanted = pattern.pattern.converters
    return reverse(str(pattern.name), kwargs={name: SAMPLES[name] for name in wanted})


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: str(pattern.name))
def test_every_view_names_the_right_it_needs(pattern: URLPattern) -> None:
    needed = getattr(pattern.callback, "needs", None)
    assert isinstance(needed, Right)
    assert (needed is Right.NOTHING) == (pattern.name in OPEN)


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
@pytest.mark.parametrize("pattern", CLOSED, ids=lambda pattern: str(pattern.name))
def test_an_anonymous_request_is_sent_to_the_sign_in(pattern: URLPattern, method: str, db: None) -> None:
    answer = getattr(Client(), method)(_address(pattern))
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("pattern", CLOSED, ids=lambda pattern: str(pattern.name))
def test_a_stranger_without_a_role_is_refused_everywhere(pattern: URLPattern, stan: Client) -> None:
    assert stan.get(_address(pattern)).status_code == 403
    assert stan.post(_address(pattern)).status_code == 403


@pytest.mark.parametrize(
    "name", ["pause", "resume", "failure-act", "decision-together", "decision-back", "conflict-use"]
)
def test_a_viewer_may_press_nothing(name: str, vic: Client) -> None:
    answer = vic.post(reverse(name))
    assert answer.status_code == 403
    assert "Your role does not allow this" in answer.content.decode()


def test_a_part_asked_for_after_the_session_ended_moves_the_whole_page(part: dict[str, str], db: None) -> None:
    answer = Client().get("/people/", headers=part)
    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"] == "/sign-in/"


def test_going_back_after_the_session_ended_shows_the_sign_in_and_no_empty_page(part: dict[str, str], db: None) -> None:
    back = {**part, "HX-History-Restore-Request": "true"}
    answer = Client().get("/people/?q=ada", headers=back, follow=True)
    assert answer.redirect_chain == [("/sign-in/?next=%2Fpeople%2F%3Fq%3Dada", 302)]
    assert "<form" in answer.content.decode()


def test_the_address_somebody_wanted_is_kept_for_after_the_sign_in(db: None) -> None:
    answer = Client().get("/people/?q=ada")
    assert answer.headers["Location"] == "/sign-in/?next=%2Fpeople%2F%3Fq%3Dada"


def test_an_unknown_address_is_a_whole_page_of_its_own(vic: Client, db: None) -> None:
    assert "There is nothing at this address" in vic.get("/nowhere/").content.decode()
    assert Client().get("/nowhere/").status_code == 404


def test_healthz_answers_everybody(db: None) -> None:
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_no_page_carries_inline_code(vic: Client) -> None:
    for address in (
        "/",
        "/people/",
        "/failures/",
        "/failures/records/",
        "/failures/causes/",
        "/decisions/",
        "/conflicts/",
        "/runs/",
        "/nowhere/",
    ):
        text = vic.get(address).content.decode()
        assert "<style" not in text
        assert " style=" not in text
        assert " onclick=" not in text
        assert all('src="' in tag.partition(">")[0] for tag in text.split("<script")[1:])


def test_a_refusal_leaves_no_traceback_in_the_log(vic: Client, caplog: pytest.LogCaptureFixture) -> None:
    assert vic.post("/pause/").status_code == 403
    told = [record for record in caplog.records if record.name == "django.request"]
    assert [(record.getMessage(), record.exc_info) for record in told] == [("Forbidden: /pause/", None)]
