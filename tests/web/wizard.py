"""The wizard as an administrator goes through it, a method a step; with and without script, for tests and pictures."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

SAVED = "The connection is saved."
# Signing in, metadata and counting: several calls each, on a machine that may be busy.
PATIENCE = 30_000


def _nothing(_: str) -> None:
    """Nobody looks."""


class Wizard:
    """``look`` is called with a step's name when it shows most; ``turn`` lets the loop work before the start or after it."""

    def __init__(
        self,
        page: Page,
        dynamics: str,
        *,
        turn: Callable[[], None],
        script: bool = True,
        look: Callable[[str], None] = _nothing,
    ) -> None:
        self.page, self.dynamics, self.turn, self.script, self.look = page, dynamics, turn, script, look

    def connect_dynamics(self) -> None:
        """A secret that has run out first, since everybody meets that one day; then the sandbox as it is offered."""
        self.page.goto("/")
        assert self.page.url.endswith("/setup/dynamics/")
        self.page.get_by_label("Address of the organisation").fill(f"{self.dynamics}/main.aspx?appid=1")
        self.page.get_by_label("Tenant", exact=True).fill("sandbox")
        self.page.get_by_label("Client id").fill("sandbox")
        self.page.get_by_label("Client secret").fill("expired-secret")
        self.page.get_by_role("button", name="Check and save").click()
        expect(self.page.get_by_text("The client secret has expired.")).to_be_visible(timeout=PATIENCE)
        expect(self.page.get_by_text("Not saved: see what is marked.")).to_be_visible()
        self.look("dynamics")
        self.page.get_by_role("button", name="Use the sandbox").click()
        expect(self.page.get_by_text(SAVED)).to_be_visible(timeout=PATIENCE)
        self.page.get_by_role("link", name="On: Connect Marketo").click()

    def connect_marketo(self) -> None:
        self.page.get_by_role("button", name="Use the sandbox").click()
        expect(self.page.get_by_text(SAVED)).to_be_visible(timeout=PATIENCE)
        self.page.get_by_role("button", name="Create what is missing in Marketo").click()
        expect(self.page.get_by_text("all there")).to_be_visible(timeout=PATIENCE)
        self.page.goto("/setup/marketo/")
        self.look("marketo")
        self.page.get_by_role("link", name="On: What to sync").click()

    def choose_scope(self) -> None:
        self.page.get_by_label("Time zone of the organisation").fill("Europe/Vienna")
        if self.script:
            expect(self.page.locator("#counts table")).to_be_visible(timeout=PATIENCE)
        else:
            self.page.get_by_role("button", name="Count the records").click()
            expect(self.page.locator("#counts table")).to_be_visible()
            self.page.get_by_label("Time zone of the organisation").fill("Europe/Vienna")
        self.look("scope")
        self.page.get_by_role("button", name="Save and go on").click()
        self.page.wait_for_url("**/setup/fields/")

    def choose_fields(self) -> None:
        """Adobe's published mapping, and the web site besides."""
        self.page.goto("/setup/fields/?show=chosen")
        self.look("fields")
        self.page.goto("/setup/fields/")
        self.page.get_by_label("Search columns and fields").fill("website")
        if not self.script:
            self.page.get_by_role("button", name="Search").click()
        row = self.page.locator("#row-websiteurl")
        expect(self.page.get_by_text("1 column", exact=True)).to_be_visible()
        row.get_by_role("button", name="Website", exact=True).click()
        expect(row.locator("button.pick")).to_have_attribute("aria-pressed", "true")
        self.page.get_by_role("link", name="Look at it and go on").click()
        expect(self.page.get_by_role("heading", name="What will be kept in step")).to_be_visible()
        self.page.get_by_role("button", name="Save and go on").click()
        self.page.wait_for_url("**/setup/preview/")

    def preview(self) -> None:
        self.page.get_by_role("button", name="Make the preview").click()
        expect(self.page.get_by_role("link", name="Refresh")).to_be_visible()
        self.turn()
        if not self.script:
            self.page.get_by_role("link", name="Refresh").click()
        expect(self.page.get_by_text("Last worked out")).to_be_visible(timeout=20 * PATIENCE)
        self.look("preview")

    def shown(self) -> set[tuple[str, str]]:
        """Every value of an existing record that the list of values says will be written: (side, value)."""
        found = set()
        for kind in ("filled", "replaced"):
            self.page.goto(f"/setup/preview/changes/?kind={kind}")
            while True:
                for side in ("Dynamics", "Marketo"):
                    cells = self.page.locator(f'tbody td[data-name="{side}"] ins')
                    found |= {(side.lower(), text) for text in cells.all_inner_texts()}
                further = self.page.get_by_role("link", name="Next page")
                if not further.count():
                    break
                self.page.goto(further.get_attribute("href") or "")
        return found

    def start(self) -> None:
        """To the Overview, with everything that was planned written."""
        self.page.goto("/setup/start/")
        self.look("start")
        self.page.get_by_role("button", name="Start the sync").click()
        expect(self.page.get_by_text("what was planned is being written")).to_be_visible()
        self.turn()
        if not self.script:
            self.page.get_by_role("link", name="Refresh").click()
        expect(self.page.get_by_text("Everything that was planned has been carried out")).to_be_visible(
            timeout=20 * PATIENCE
        )
        self.page.get_by_role("link", name="To the overview").first.click()
        expect(self.page).to_have_url(re.compile(r"/$"))
        expect(self.page.get_by_role("heading", level=1)).to_be_visible()
