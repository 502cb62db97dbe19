"""Roles are groups; the first administrator comes in by a link that works once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group, User

from syncadmin.services import roles, sign_in
from syncadmin.services.roles import Role
from syncadmin.store.models import AuditEntry, SignInLink

AT = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def test_the_groups_are_there_and_come_back():
    assert set(Group.objects.values_list("name", flat=True)) == {"viewer", "operator", "administrator"}
    Group.objects.all().delete()
    roles.ensure_groups()
    roles.ensure_groups()
    assert set(Group.objects.values_list("name", flat=True)) == {"viewer", "operator", "administrator"}


def test_a_role_replaces_the_one_before_and_is_audited():
    user = User.objects.create(username="vic")
    roles.assign(user, Role.OPERATOR, who="ada", now=AT)
    roles.assign(user, Role.VIEWER, who="ada", now=AT)

    assert roles.role_of(user) is Role.VIEWER
    assert list(user.groups.values_list("name", flat=True)) == ["viewer"]
    assert list(AuditEntry.objects.values_list("who", "action", "subject", "before", "after")) == [
        ("ada", "role", "vic", None, "operator"),
        ("ada", "role", "vic", "operator", "viewer"),
    ]


def test_the_last_administrator_stays_one():
    ada = sign_in.first_administrator("ada", who="setup", now=AT)
    with pytest.raises(roles.LastAdministrator):
        roles.assign(ada, Role.VIEWER, who="ada", now=AT)
    assert roles.role_of(ada) is Role.ADMINISTRATOR
    sign_in.first_administrator("bob", who="setup", now=AT)
    roles.assign(ada, None, who="bob", now=AT)
    assert roles.role_of(ada) is None


def test_the_first_administrator_is_made_once():
    first = sign_in.first_administrator(who="command", now=AT)

    assert first.username == "admin"
    assert not first.has_usable_password()
    assert roles.role_of(first) is Role.ADMINISTRATOR
    assert sign_in.first_administrator(who="command", now=AT) == first
    assert User.objects.count() == 1


def test_a_link_works_once():
    user = sign_in.first_administrator(who="command", now=AT)
    token = sign_in.token_for(user, who="command", now=AT)

    assert token not in SignInLink.objects.get().digest
    assert sign_in.redeem(token, AT + timedelta(minutes=1)) == user
    assert sign_in.redeem(token, AT + timedelta(minutes=2)) is None


def test_an_old_an_invented_and_a_strangers_link_do_not_work():
    user = sign_in.first_administrator(who="command", now=AT)
    token = sign_in.token_for(user, who="command", now=AT)

    assert sign_in.redeem(token, AT + timedelta(minutes=15)) is None
    assert sign_in.redeem(token + "x", AT) is None
    assert sign_in.redeem("", AT) is None
    user.is_active = False
    user.save()
    assert sign_in.redeem(token, AT) is None
    assert SignInLink.objects.get().used_at is None


def test_old_links_are_forgotten():
    user = sign_in.first_administrator(who="command", now=AT)
    sign_in.token_for(user, who="command", now=AT)
    sign_in.token_for(user, who="command", now=AT + timedelta(days=2))
    assert SignInLink.objects.count() == 1
