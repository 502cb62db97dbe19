"""Anyone's CSV: header names, delimiters, encodings, conversions, and what is skipped."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from syncadmin.sandbox import csvload, loading
from syncadmin.sandbox.marketo import MarketoSandbox
from syncadmin.sandbox.server import serve

US = (
    "first_name,last_name,company_name,address,city,county,state,zip,phone1,phone2,email,web\n"
    'Lenna,Öst,"Öst, Lenna & Co",6 Blue Rd,Oslo,Viken,NO,0150,504-1,504-2,lenna@x.example,http://www.x.example\n'
)
CUSTOMERS = (
    "CustomerId,FirstName,LastName,Company,Address,City,State,Country,PostalCode,Phone,Fax,Email\n"
    '1,Luís,Gonçalves,Embraer S.A.,"Av. Faria Lima, 2170",São José,SP,Brazil,12227-000,+55 1,+55 2,luís@x.example\n'
    "2,Leonie,Köhler,,Straße 34,Stuttgart,,Germany,70174,+49 1,,leonie@x.example\n"
)


def read(text: str, side: str = "dynamics", entity: str = "lead", encoding: str = "utf-8"):
    return csvload.read(io.BytesIO(text.encode(encoding)), side, entity)


def test_american_headers_as_leads_and_as_people():
    rows, mapped, skipped = read(US)
    assert skipped == []
    assert mapped["zip"] == "address1_postalcode"
    assert rows == [
        {
            "firstname": "Lenna",
            "lastname": "Öst",
            "companyname": "Öst, Lenna & Co",
            "address1_line1": "6 Blue Rd",
            "address1_city": "Oslo",
            "address1_county": "Viken",
            "address1_stateorprovince": "NO",
            "address1_postalcode": "0150",
            "telephone1": "504-1",
            "telephone2": "504-2",
            "emailaddress1": "lenna@x.example",
            "websiteurl": "http://www.x.example",
        }
    ]
    rows, _, skipped = read(US, "marketo", "person")
    assert skipped == ["county", "phone2"]
    assert rows[0]["company"] == "Öst, Lenna & Co"
    assert rows[0]["website"] == "http://www.x.example"
    assert rows[0]["phone"] == "504-1"


def test_customers_on_both_sides_without_their_own_ids():
    rows, mapped, skipped = read(CUSTOMERS, "marketo", "person")
    assert skipped == ["CustomerId"]
    assert (mapped["Fax"], mapped["PostalCode"]) == ("fax", "postalCode")
    assert len(rows) == 2
    assert "company" not in rows[1]
    assert read(CUSTOMERS)[2] == ["CustomerId"]


def test_a_contact_has_no_company_name_and_its_company_phone_is_not_one():
    rows, mapped, skipped = read(CUSTOMERS, "dynamics", "contact")
    assert "Company" in skipped
    assert "company" not in mapped.values()
    assert "company" not in rows[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters(encoding, delimiter):
    text = (
        delimiter.join(["First Name", '"Last Name"', "E-mail"])
        + "\r\n"
        + delimiter.join(["Jörg", '"Gro""ß"', "j@x.example"])
    )
    rows, _, _ = read(text, "marketo", "person", encoding)
    assert rows == [{"firstName": "Jörg", "lastName": 'Gro"ß', "email": "j@x.example"}]


def test_own_names_and_labels_of_a_side_work_and_are_converted():
    text = "lastname,Lead Source,donotbulkemail,Annual Revenue,No. of Employees,leadid,What\nKallas,partner,yes,12.5,7,x,y\n"
    rows, _, skipped = read(text)
    assert rows == [
        {"lastname": "Kallas", "leadsourcecode": 4, "donotbulkemail": True, "revenue": 12.5, "numberofemployees": 7}
    ]
    assert skipped == ["leadid", "What"]
    rows, _, skipped = read("Last Name,Person Notes,createdAt,leadScore\nKallas,Hi,2020,5\n", "marketo", "person")
    assert rows == [{"lastName": "Kallas", "mktoPersonNotes": "Hi", "leadScore": "5"}]
    assert skipped == ["createdAt"]


def test_two_headers_for_one_field_keep_the_first():
    rows, _, skipped = read("email,E-Mail Address,last\na@x.example,b@x.example,K\n", "marketo", "person")
    assert rows == [{"email": "a@x.example", "lastName": "K"}]
    assert skipped == ["E-Mail Address"]


def test_short_long_and_empty_lines():
    rows, _, _ = read("email,last\na@x.example\n,\nb@x.example,K,more\n\n", "marketo", "person")
    assert rows == [{"email": "a@x.example"}, {"email": "b@x.example", "lastName": "K"}]


def test_refusals():
    with pytest.raises(ValueError, match="no header"):
        read("")
    with pytest.raises(ValueError, match="systemuser"):
        read(US, "dynamics", "systemuser")


def account() -> MarketoSandbox:
    return MarketoSandbox(clock=lambda: datetime(2026, 3, 4, tzinfo=UTC), seed=1, base_url="http://m")


def test_a_file_goes_into_a_running_sandbox(tmp_path: Path):
    path = tmp_path / "people.csv"
    path.write_text(CUSTOMERS)
    sandbox = account()
    with serve(sandbox) as server:
        report = loading.load_file(path, "marketo", "person", loading.over_http(server.url))
        again = loading.load_file(path, "marketo", "person", loading.over_http(server.url))
    assert report.loaded == again.loaded == 2
    assert report.lines()[-2:] == ["skipped (no such field): CustomerId", "2 rows loaded"]
    assert [row["lastName"] for row in sandbox.rows("person")] == ["Gonçalves", "Köhler"]
    assert sandbox.get("person", 1000)["address"] == "Av. Faria Lima, 2170"


def test_a_refused_file_says_why_and_loads_nothing(tmp_path: Path):
    path = tmp_path / "people.csv"
    path.write_text("email,leadScore\na@x.example,1\nb@x.example,many\n")
    sandbox = account()
    with serve(sandbox) as server:
        put = loading.over_http(server.url)
        with pytest.raises(loading.LoadFailed, match="row 2"):
            loading.load_file(path, "marketo", "person", put)
    assert list(sandbox.rows("person")) == []
    with pytest.raises(loading.LoadFailed, match="no sandbox answers"):
        loading.load_file(path, "marketo", "person", put)
    with pytest.raises(loading.LoadFailed, match="row 2"):
        loading.load_file(path, "marketo", "person", loading.into(sandbox))
    path.write_text("what,ever\n1,2\n")
    with pytest.raises(loading.LoadFailed, match="none of its columns"):
        loading.load_file(path, "marketo", "person", put)
    with pytest.raises(loading.LoadFailed, match=r"missing\.csv"):
        loading.load_file(tmp_path / "missing.csv", "marketo", "person", put)


def test_every_target_field_exists():
    columns = json.loads(Path(csvload.__file__).with_name("dynamics").joinpath("columns.json").read_text())["tables"]
    fields = json.loads(Path(csvload.__file__).with_name("marketo").joinpath("fields.json").read_text())["fields"]
    names = {row[1] for row in fields}
    for (side, entity), targets in csvload._TARGETS.items():
        known = names if side == "marketo" else set(columns[entity]["columns"])
        assert set(targets.values()) <= known, (side, entity)
