from __future__ import annotations

import pytest

from syncadmin.connectors.dynamics.batch import MOST_PARTS, Part, batch_answers, batch_request
from syncadmin.connectors.errors import Malformed
from syncadmin.connectors.messages import Answer
from tests.connectors.dynamics.tenant import multipart

TYPE = {"content-type": "multipart/mixed; boundary=b1"}


def test_the_body_is_what_the_protocol_prescribes() -> None:
    parts = [
        Part("PATCH", "leads(1)", {"If-Match": "*"}, b'{"a":1}'),
        Part("GET", "leads(2)", {"Accept": "application/json"}),
    ]
    request = batch_request("/api/data/v9.2/", "api/data/v9.2/", parts, "batch_1", timeout=9)
    assert request.body.decode().split("\r\n") == [
        "--batch_1",
        "Content-Type: application/http",
        "Content-Transfer-Encoding: binary",
        "",
        "PATCH /api/data/v9.2/leads(1) HTTP/1.1",
        "If-Match: *",
        "",
        '{"a":1}',
        "--batch_1",
        "Content-Type: application/http",
        "Content-Transfer-Encoding: binary",
        "",
        "GET /api/data/v9.2/leads(2) HTTP/1.1",
        "Accept: application/json",
        "",
        "",
        "--batch_1--",
        "",
        "",
    ]
    assert request.headers["Prefer"] == "odata.continue-on-error"
    assert request.headers["Content-Type"] == 'multipart/mixed; boundary="batch_1"'
    assert not request.repeatable


def test_more_operations_than_allowed_are_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="1001"):
        batch_request("/", "", [Part("GET", "x")] * (MOST_PARTS + 1), "b", timeout=9)


def test_answers_are_read_in_order_with_their_headers() -> None:
    reply = multipart((204, None), (400, {"error": {"code": "0x1", "message": "a--b"}}), (429, {"error": {}}))
    answers = batch_answers(Answer(200, {"content-type": reply.headers["content-type"]}, reply.content))
    assert [answer.status for answer in answers] == [204, 400, 429]
    assert answers[0].body.strip() == b""
    assert answers[1].object() == {"error": {"code": "0x1", "message": "a--b"}}
    assert answers[2].headers["retry-after"] == "45"
    assert answers[1].headers["req_id"] == "req-400"


def test_bare_line_feeds_and_a_quoted_boundary_are_read_too() -> None:
    body = b'--b1\nContent-Type: application/http\n\nHTTP/1.1 200 OK\nX: y\n\n{"a":1}\n--b1--\n'
    answers = batch_answers(Answer(200, {"content-type": 'multipart/mixed; boundary="b1"'}, body))
    assert answers[0].object() == {"a": 1}
    assert answers[0].headers == {"x": "y"}


def test_a_part_cut_off_is_still_read_as_far_as_it_came() -> None:
    body = b"--b1\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n\r\n"
    assert [answer.status for answer in batch_answers(Answer(200, TYPE, body))] == [204]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"content-type": "application/json"}, b"{}"),
        ({"content-type": "text/html"}, b"<html>"),
        ({"content-type": "multipart/mixed"}, b"--b1--"),
        (TYPE, b"--b1\r\nContent-Type: application/http\r\n\r\nnonsense\r\n--b1--"),
        (TYPE, b"--b1\r\n--b1--"),
    ],
)
def test_anything_else_is_malformed(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(Malformed):
        batch_answers(Answer(200, headers, body))
