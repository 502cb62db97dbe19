"""The error answers of the Web API: status, code and message as wire constants (sections 6 to 23 of the spec)."""

from __future__ import annotations

from collections.abc import Mapping

_HELP = (
    "Error identified in Payload provided by the user for Entity :'{set}', For more information on this error please "
    "follow this help link https://go.microsoft.com/fwlink/?linkid=2195293  ---->  InnerException : {inner}"
)


class ApiError(Exception):
    """An answer that says no. `headers` go out with it."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers = dict(headers or {})


def payload(set_name: str, inner: str) -> ApiError:
    """The body could not be read as a row of this set."""
    return ApiError(400, "0x80048d19", _HELP.format(set=set_name, inner=inner))


def wrong_type(set_name: str, literal: str, edm: str) -> ApiError:
    inner = (
        f"Microsoft.OData.ODataException: Cannot convert the literal '{literal}' to the expected type '{edm}'. ---> "
        "System.FormatException: Input string was not in a correct format.\r\n   at Microsoft.OData.JsonLight"
    )
    return payload(set_name, inner)


def unknown_property(set_name: str, entity: str, name: str) -> ApiError:
    inner = (
        f"Microsoft.Crm.CrmException: Invalid property '{name}' was found in entity 'Microsoft.Dynamics.CRM.{entity}'. "
        f"---> Microsoft.OData.ODataException: The property '{name}' does not exist on type "
        f"'Microsoft.Dynamics.CRM.{entity}'. Make sure to only use property names that are defined by the type."
    )
    return payload(set_name, inner)


def undeclared(set_name: str, name: str) -> ApiError:
    inner = (
        f"Microsoft.OData.ODataException: An undeclared property '{name}' which only has property annotations in the "
        "payload but no property value was found in the payload. In OData, only declared navigation properties and "
        "declared named streams can be represented as properties without values."
    )
    return payload(set_name, inner)


def unreadable(detail: str = "Stream was not readable.") -> ApiError:
    return ApiError(400, "0x80048d19", detail)


def invalid(message: str) -> ApiError:
    """A URL or option the server does not understand."""
    return ApiError(400, "0x80060888", message)


def unknown_column(entity: str, name: str) -> ApiError:
    return invalid(f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{entity}'.")


def no_segment(name: str) -> ApiError:
    return ApiError(404, "0x8006088a", f"Resource not found for the segment '{name}'.")


def no_resource(url: str) -> ApiError:
    return ApiError(404, "", f"No HTTP resource was found that matches the request URI '{url}'.")


def absent(entity: str, id: str) -> ApiError:
    return ApiError(404, "0x80040217", f"Entity '{entity}' With Id = {id} Does Not Exist")


def absent_by_key(entity: str) -> ApiError:
    return ApiError(404, "0x80060891", f"A record with the specified key values does not exist in {entity} entity")


def bad_key(entity: str) -> ApiError:
    return invalid(
        f"The key in the request URI is not valid for resource 'Microsoft.Dynamics.CRM.{entity}'. Ensure that the names "
        "and number of key properties match the declared key properties for the resource."
    )


def exists() -> ApiError:
    return ApiError(412, "0x80040237", "A record with matching key values already exists.")


def key_taken(label: str, values: str) -> ApiError:
    return ApiError(
        412,
        "0x80060892",
        f"A record that has the attribute values {values} already exists. The entity key {label} requires that this set "
        "of attributes contains unique values. Select unique values and try again.",
    )


def version_mismatch() -> ApiError:
    return ApiError(
        412, "0x80060882", "The version of the existing record doesn't match the RowVersion property provided."
    )


def duplicate() -> ApiError:
    return ApiError(
        412,
        "0x80040333",
        "A record was not created or updated because a duplicate of the current record already exists.",
    )


def too_long(column: str, entity: str, limit: int) -> ApiError:
    return ApiError(
        400,
        "0x80044331",
        f"A validation error occurred.  The length of the '{column}' attribute of the '{entity}' entity exceeded the "
        f"maximum allowed length of '{limit}'.",
    )


def out_of_range(code: str, value: object, column: str, entity: str, accepted: str = "") -> ApiError:
    text = f"A validation error occurred. The value {value} of '{column}' on record of type '{entity}' is outside the valid range."
    return ApiError(400, code, f"{text} Accepted Values: {accepted}" if accepted else text)


def bad_date(value: object) -> ApiError:
    return ApiError(
        400, "0x80040239", f"DateTime is less than minumum value supported by CrmDateTime. Actual value: {value}"
    )


def illegal_text(column: str) -> ApiError:
    return ApiError(400, "0x80040278", f"The field '{column}' contains one or more invalid characters.")


def required(column: str, entity: str) -> ApiError:
    return ApiError(400, "0x80040200", f"The required field '{column}' is missing on entity '{entity}'.")


def required_null(column: str, entity: str) -> ApiError:
    return ApiError(400, "0x80040203", f"The required field '{column}' of entity '{entity}' cannot be set to null.")


def bad_status(status: object, entity: str, state: str, id: str) -> ApiError:
    kind = entity.capitalize()
    message = f"{status} is not a valid status code for state code {kind}State.{state} on {entity} with Id {id}."
    return ApiError(400, "0x80048408", message)


def not_tracked(entity: str) -> ApiError:
    return ApiError(400, "0x80072491", f"Entity {entity} isn't enabled for change tracking.")


def token_expired() -> ApiError:
    return ApiError(
        400,
        "0x80044352",
        "Version stamp associated with the client has expired. Please perform a full sync.",
    )


def no_privilege(user: str, privilege: str, entity: str, code: int, label: str) -> ApiError:
    return ApiError(
        403,
        "0x80040220",
        f"Principal user (Id={user}, type=8, roleCount=1, privilegeCount=412, accessMode='4 Non-interactive') is missing "
        f"{privilege} privilege (Id=00000000-0000-0000-0000-000000000000) on OTC={code} for entity '{entity}' "
        f"(LocalizedName='{label}'). Consider adding missed privilege to one of the principal (user/team) roles.",
    )


def not_implemented(what: str) -> ApiError:
    return ApiError(501, "0x80060888", f"{what} is outside what this sandbox plays.")


def unexpected() -> ApiError:
    return ApiError(500, "0x80040216", "An unexpected error occurred.")
