"""The laws of the merge, each a function that fails with AssertionError when an engine breaks it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from syncadmin.engine.fields import Direction, Winner, becomes, comparable, travels
from syncadmin.engine.merge import Agreed, FieldState, FirstContact, Rule, Verdict
from syncadmin.engine.records import Side, Table
from syncadmin.engine.schema import Kind
from tests.engine.cast import SOURCES, bind, column, kinds
from tests.engine.cast import field as person_field
from tests.properties.world import D, Engine, M, World, cells

# Derandomised, so that the floors below and the planted bugs are the same on every machine.
SETTINGS = settings(
    max_examples=120,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.generate,),
    report_multiple_bugs=False,
)

TABLES = st.sampled_from([Table.LEAD, Table.CONTACT])
FIRSTS = st.sampled_from(list(FirstContact))
# What befalls one field in one round: an edit of either side (or none), its spelling, and whether the write is lost.
FATE = st.tuples(
    st.sampled_from([None, 0, 1, 2, 3]),
    st.sampled_from([None, 0, 1, 2, 3]),
    st.integers(0, 2),
    st.sampled_from([False, False, True]),
)
ROUNDS = st.lists(st.tuples(*[FATE for _ in cells(Table.LEAD)]), min_size=1, max_size=5)
VALUES = st.sampled_from([None, "a", "b", "c"])
AGREED = st.one_of(st.none(), st.builds(lambda value: Agreed(value, value), VALUES))
RULES = st.fixed_dictionaries(
    {
        "direction": st.sampled_from(list(Direction)),
        "winner": st.sampled_from(list(Winner)),
        "blanks_travel": st.booleans(),
    }
)


def history_ends_as_the_rules_say(engine: Engine, seen: Counter[str] | None = None) -> None:
    """Any edits, merges and refused writes: every merge does what the rules say, then everything falls silent."""

    @SETTINGS
    @given(TABLES, ROUNDS)
    def law(table, rounds):
        world = World(engine, table, seen)
        for fates in rounds:
            for at, (here, there, spelling, _) in enumerate(fates):
                for side, meaning in ((D, here), (M, there)):
                    if meaning is not None:
                        world.edit(at, side, meaning, spelling)
            world.merge(lost=frozenset(at for at, fate in enumerate(fates) if fate[3]))
        world.merge()
        assert world.merge() == 0
        assert world.merge() == 0

    law()


def merging_again_writes_nothing(engine: Engine) -> None:
    @SETTINGS
    @given(TABLES, FIRSTS, RULES, AGREED, VALUES, VALUES)
    def law(table, first, rules, agreed, d, m):
        bound = bind(**rules)
        result = engine.merge(FieldState(bound, agreed, d, m), table, first, frozenset(Side))
        if result.verdict is Verdict.WRITE:
            d, m = (result.raw, m) if result.to is D else (d, result.raw)
        after = engine.settle(agreed, result, True)
        again = engine.merge(FieldState(bound, after, d, m), table, first, frozenset())
        assert again.verdict in (Verdict.NOTHING, Verdict.HELD)

    law()


def swapping_the_sides_mirrors_the_decision(engine: Engine) -> None:
    mirrored = {Winner.DYNAMICS: Winner.MARKETO, Winner.MARKETO: Winner.DYNAMICS}
    turned = {Direction.TO_DYNAMICS: Direction.TO_MARKETO, Direction.TO_MARKETO: Direction.TO_DYNAMICS}
    other = {Table.LEAD: Table.CONTACT, Table.CONTACT: Table.LEAD}

    @SETTINGS
    @given(TABLES, st.sampled_from([FirstContact.RULE, FirstContact.BLANKS]), RULES, AGREED, VALUES, VALUES)
    def law(table, first, rules, agreed, d, m):
        flipped = {
            **rules,
            "winner": mirrored.get(rules["winner"], rules["winner"]),
            "direction": turned.get(rules["direction"], rules["direction"]),
        }
        one = engine.merge(FieldState(bind(**rules), agreed, d, m), table, first, frozenset())
        two = engine.merge(FieldState(bind(**flipped), agreed, m, d), other[table], first, frozenset())
        assert (one.verdict, one.raw, one.replaced, one.held) == (two.verdict, two.raw, two.replaced, two.held)
        assert one.to is (two.to and two.to.other)

    law()


def nothing_is_invented_and_agreed_is_what_was_read_or_sent(engine: Engine) -> None:
    @SETTINGS
    @given(TABLES, FIRSTS, RULES, AGREED, VALUES, VALUES)
    def law(table, first, rules, agreed, d, m):
        bound = bind(**rules)
        result = engine.merge(FieldState(bound, agreed, d, m), table, first, frozenset(Side))
        if result.verdict is Verdict.AGREE:
            assert (result.agreed.d, result.agreed.m) == (d, m)
            assert d == m or result.rule is Rule.FIRST_BLANKS
        if result.verdict is Verdict.WRITE:
            source, target = (m, d) if result.to is D else (d, m)
            assert (result.raw, result.source, result.replaced) == (source, source, target)
            assert (result.agreed.d, result.agreed.m) == (source, source)
            assert source != target
        if result.verdict not in (Verdict.AGREE, Verdict.WRITE):
            assert result.agreed is None

    law()


def a_one_sided_change_never_loses(engine: Engine) -> None:
    @SETTINGS
    @given(TABLES, FIRSTS, VALUES, VALUES, st.sampled_from(list(Side)), st.sampled_from(list(Winner)))
    def law(table, first, base, value, side, winner):
        d, m = (value, base) if side is D else (base, value)
        state = FieldState(bind(winner=winner), Agreed(base, base), d, m)
        result = engine.merge(state, table, first, frozenset(Side))
        if value != base:
            assert (result.verdict, result.to, result.raw) == (Verdict.WRITE, side.other, value)
            assert result.collision is None

    law()


def a_collision_keeps_all_three_values_and_reaches_the_loser(engine: Engine) -> None:
    @SETTINGS
    @given(TABLES, st.permutations(["a", "b", "c"]))
    def law(table, values):
        base, d, m = values
        result = engine.merge(FieldState(bind(), Agreed(base, base), d, m), table, FirstContact.RULE, frozenset(Side))
        wins = M if table is Table.LEAD else D
        assert (result.verdict, result.to, result.raw) == (Verdict.WRITE, wins.other, m if wins is M else d)
        kept = result.collision
        assert (kept.agreed_d, kept.agreed_m, kept.d, kept.m, kept.winner) == (base, base, d, m, wins)

    law()


def rules_of_a_pair_are_never_broken(engine: Engine) -> None:
    """Directions, the blank rule, and: what fills nothing empties nothing on first contact."""

    @SETTINGS
    @given(TABLES, FIRSTS, RULES, AGREED, VALUES, VALUES)
    def law(table, first, rules, agreed, d, m):
        bound = bind(**rules)
        result = engine.merge(FieldState(bound, agreed, d, m), table, first, frozenset(Side))
        if result.verdict is Verdict.WRITE:
            assert result.to in travels(bound)
            assert result.raw is not None or (agreed is not None and bound.pair.blanks_travel)

    law()


def consent_and_truth_are_kept(engine: Engine) -> None:
    """On first contact a yes wins on a consent pair, and false never fills a null."""

    @SETTINGS
    @given(TABLES, FIRSTS, st.booleans(), st.sampled_from([None, False, True]), st.booleans(), AGREED)
    def law(table, first, consent, d, m, agreed):
        bound = kinds(Kind.BOOLEAN, Kind.BOOLEAN, consent=consent)
        known = None if agreed is None else Agreed(agreed.d == "a", agreed.d == "a")
        result = engine.merge(FieldState(bound, known, d, m), table, first, frozenset(Side))
        if result.verdict is Verdict.WRITE:
            assert not (result.to is D and result.raw is False and d is None)
            assert result.raw is True or known is not None or not consent

    law()


def lossy_pairs_come_to_rest(engine: Engine) -> None:
    """A cut on either side is no reason to write for ever, nor to undo an edit."""
    letters = st.text("ab", max_size=6)

    @SETTINGS
    @given(TABLES, st.lists(st.tuples(st.sampled_from(list(Side)), letters, st.booleans()), max_size=12))
    def law(table, steps):
        bound = bind(column(max_length=4), person_field(max_length=2), shorten=True)
        values: dict[Side, str | None] = {D: None, M: None}
        agreed, writes = None, []
        for side, text, merge in [*steps, *[(None, "", True)] * 4]:
            if side is not None:
                values[side] = text[: 4 if side is D else 2] or None
            if not merge:
                continue
            result = engine.merge(
                FieldState(bound, agreed, values[D], values[M]), table, FirstContact.RULE, frozenset()
            )
            writes.append(result.verdict is Verdict.WRITE)
            if result.verdict is Verdict.WRITE:
                values[result.to] = result.raw
            agreed = engine.settle(agreed, result, True)
        assert writes[-3:] == [False] * 3
        d, m = comparable(bound, D, values[D]), comparable(bound, M, values[M])
        assert d == m or becomes(bound, M, d, m)

    law()


def different_fields_both_survive(engine: Engine) -> None:
    @SETTINGS
    @given(TABLES, VALUES, VALUES, VALUES)
    def law(table, base, mine, theirs):
        one = engine.merge(FieldState(bind(), Agreed(base, base), mine, base), table, FirstContact.RULE, frozenset({D}))
        other = replace(bind(), column=column("fax"), field=person_field("fax"))
        two = engine.merge(
            FieldState(other, Agreed(base, base), base, theirs), table, FirstContact.RULE, frozenset({M})
        )
        assert mine == base or (one.to, one.raw) == (M, mine)
        assert theirs == base or (two.to, two.raw) == (D, theirs)

    law()


ANYTHING = st.one_of(
    st.sampled_from([None, "", " ", True, False, 0, 1, 7, "1", "1,3", "Web", "web; Trade Show", "yes", "no", "1.005"]),
    st.sampled_from(["2026-03-29", "2026-03-29T00:30:00Z", "2026-10-25T02:30:00+0200", "0001-01-01", "9999-12-31"]),
    st.sampled_from(["ida@x.example", "Zoë@x.example", "a\x00b", "x" * 30, "12345678901", {"id": "g", "name": "Ada"}]),
    st.text(max_size=12),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
)
DYNAMICS_KINDS = st.sampled_from(list(Kind))
MARKETO_KINDS = st.sampled_from(
    [Kind.TEXT, Kind.EMAIL, Kind.INTEGER, Kind.DECIMAL, Kind.BOOLEAN, Kind.DATE, Kind.DATETIME, Kind.MEMO]
)


def any_two_kinds_come_to_rest(engine: Engine) -> None:
    """Whatever is joined with whatever: no value crashes a merge, and three runs after an edit all is quiet."""
    broad = settings(SETTINGS, max_examples=800)

    @broad
    @given(
        TABLES, FIRSTS, RULES, DYNAMICS_KINDS, MARKETO_KINDS, st.booleans(), st.lists(ANYTHING, min_size=4, max_size=4)
    )
    def law(table, first, rules, here, there, shorten, raws):
        options = SOURCES if here in (Kind.CHOICE, Kind.MULTICHOICE, Kind.STATE, Kind.STATUS) else ()
        facts = {"options": options, "max_length": 10, "precision": 2 if here is Kind.MONEY else None}
        bound = bind(column("c", here, **facts), person_field("f", there, max_bytes=8), shorten=shorten, **rules)
        values: dict[Side, object] = {}
        agreed = None
        for round_of_edits in (raws[:2], raws[2:]):
            values = dict(zip((D, M), round_of_edits, strict=True))
            verdicts = []
            for _ in range(4):
                state = FieldState(bound, agreed, values[D], values[M])
                result = engine.merge(state, table, first, frozenset())
                verdicts.append(result.verdict)
                if result.verdict is Verdict.WRITE:
                    values[result.to] = result.raw
                agreed = engine.settle(agreed, result, True)
            assert Verdict.WRITE not in verdicts[1:]

    law()


LAWS: tuple[Callable[[Engine], None], ...] = (
    history_ends_as_the_rules_say,
    merging_again_writes_nothing,
    swapping_the_sides_mirrors_the_decision,
    nothing_is_invented_and_agreed_is_what_was_read_or_sent,
    a_one_sided_change_never_loses,
    a_collision_keeps_all_three_values_and_reaches_the_loser,
    rules_of_a_pair_are_never_broken,
    consent_and_truth_are_kept,
    lossy_pairs_come_to_rest,
    different_fields_both_survive,
    any_two_kinds_come_to_rest,
)
