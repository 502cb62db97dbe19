"""What stands around every page: times in the viewer's zone, the language, one's own account."""

from __future__ import annotations

import re

from django.contrib.auth.models import User
from django.test import Client

from syncadmin.store import options
from tests.web.people import World


def _zone(client: Client, **cookies: str) -> str:
    for name, value in cookies.items():
        client.cookies[name] = value
    found = re.search(r"Times in (\S+)", client.get("/").content.decode())
    assert found
    return found[1]


def test_without_script_times_are_the_organisations(vic: Client) -> None:
    options.write("time_zone", "Europe/Vienna")
    assert _zone(vic) == "Europe/Vienna"


def test_the_browsers_zone_comes_before_the_organisations_and_a_choice_before_both(vic: Client) -> None:
    assert _zone(vic, browser_zone="Asia/Taipei") == "Asia/Taipei"
    vic.post("/you/zone/", {"zone": "America/Chicago"})
    assert _zone(vic) == "America/Chicago"
    vic.post("/you/zone/", {"zone": ""})
    assert _zone(vic) == "Asia/Taipei"


def test_a_zone_nobody_knows_counts_as_none(vic: Client) -> None:
    assert _zone(vic, zone="../../etc/passwd", browser_zone="Mars/Olympus") == "UTC"
    vic.post("/you/zone/", {"zone": "Mars/Olympus"})
    assert vic.cookies["zone"].value == ""


def test_an_instant_is_told_in_the_viewers_zone(vic: Client, world: World) -> None:
    run = world.run()
    vic.cookies["browser_zone"] = "Asia/Taipei"
    page = vic.get(f"/runs/{run.pk}/").content.decode()
    assert re.search(r'title="\d{4}-\d\d-\d\d \d\d:\d\d:\d\d CST"', page)
    # The next request in the same thread must not inherit it.
    del vic.cookies["browser_zone"]
    assert re.search(r'title="\S+ \S+ UTC"', vic.get(f"/runs/{run.pk}/").content.decode())


def test_the_language_changes_on_a_page_that_answers_a_form(ada: Client, world: World) -> None:
    world.failure()
    site = "http://testserver"
    for asked in (
        lambda: ada.post("/settings/users/invite/", {"name": ""}, headers={"referer": f"{site}/settings/users/"}),
        lambda: ada.post("/failures/act/", {"act": "release", "which": "all", "back": "/failures/records/"}),
        lambda: ada.post("/you/password/", {}),
        lambda: ada.get("/people/?q=x&state=failed"),
    ):
        found = re.search(r'name="next" value="([^"]*)"', asked().content.decode())
        assert found
        answer = ada.post("/language/", {"language": "en", "next": found[1].replace("&amp;", "&")}, follow=True)
        assert answer.status_code == 200, found[1]
    assert found[1] == "/people/?q=x&amp;state=failed"


def test_a_password_is_changed_by_who_knows_the_old_one(vic: Client) -> None:
    user = User.objects.get(username="vic")
    user.set_password("the old one of vic")
    user.save()
    vic.force_login(user)
    new = {"new_password1": "correct horse battery", "new_password2": "correct horse battery"}
    wrong = vic.post("/you/password/", {**new, "old_password": "a guess"})
    assert (wrong.status_code, "entered incorrectly" in wrong.content.decode()) == (422, True)
    assert vic.post("/you/password/", {**new, "old_password": "the old one of vic"}).status_code == 302
    user.refresh_from_db()
    assert user.check_password("correct horse battery")
    assert vic.get("/you/").status_code == 200


def test_a_stranger_without_a_role_has_no_page_of_their_own(stan: Client) -> None:
    assert stan.get("/you/").status_code == 403
