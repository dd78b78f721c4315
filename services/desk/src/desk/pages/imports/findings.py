"""What is told of rows, in the reader's language: by the texts of `rapport_imports` and the services.

They say it in English, with its values in it. It is found again as one of these texts, and said with the
same values; a text that is none of them stays as it is, for it says what is allowed.
"""

import re
from functools import cache

from desk.language.catalogues import N_
from desk.ui.speech import Speech

TEXTS = (
    # Cells.
    N_("must not be empty"),
    N_("must be at most {most} characters"),
    N_("must be UTF-8 text without control characters"),
    N_("must hold a value, not a formula: paste the column as values"),
    N_("must have at most {width} cells, as the header has"),
    N_("must not hold whole rows: a quote is missing where it begins, or its line breaks must go"),
    N_("has nothing: taken as --set says of all rows in which no column says it"),
    N_("{value} is no id: not taken"),
    N_(
        "must be a day that there is, with a time or without, as in {how}; --date-format tells another "
        "notation, such as DD/MM/YY"
    ),
    N_("must be between the years {first} and {last}"),
    N_("must be a day from {first} to {last}"),
    N_("is in the future: must have happened already"),
    N_("must be a time of day, such as 16:31 or 1631"),
    N_("may be no date, or two: left out; --date-format tells which, such as DD/MM/YYYY"),
    N_(
        "must be a number with at most {decimals} decimals, such as 12.50, 1,234.50 or -1; --decimal says "
        "what separates the decimals"
    ),
    N_("must be a currency of ISO 4217, such as EUR; of a sign like $, --currency says which"),
    N_("must be {currency}, as the row says otherwise"),
    N_("must be a whole number up to 999999999, without a separator of thousands"),
    N_("must be a number, such as 2, 0.742 or -1"),
    N_("is no code of English letters, digits and . _ : / # -, such as sku-4711: left out"),
    N_("is no country that is known, such as {example}: left out"),
    N_("is no language that is known, such as {example}: left out"),
    N_("is no time zone that is known, such as {example}: left out"),
    N_("is in no country that is known: left out; --country says which"),
    N_("must be an e-mail address like anna@example.com"),
    N_("must be a phone number: with its country's code, as +49 30 901820, or of the customer's country"),
    N_("must be a fax number: with its country's code, as +49 30 901820, or of the customer's country"),
    N_("kept as it is written, but nobody is found or reached by it: {why}"),
    N_("{why}: the address is left out"),
    # Customers.
    N_("must have an id, account number, e-mail or phone to recognise the customer by"),
    N_(
        "must have an id, account number, e-mail or phone to recognise the customer by; no column is used "
        "for {fields}: see --map"
    ),
    N_("has an id alone: a total or a note below the table is no customer"),
    N_("works at the help desk, and is no customer: skipped"),
    N_("holds a number, which is nobody's name: not taken"),
    N_("{column} holds another address, which is not taken: --map email={other} says otherwise"),
    N_("somebody said otherwise, or a system that is trusted more: that stays until it is released"),
    N_("belongs to {owner}, another customer: it stays there"),
    N_("another customer has this too: it proves nothing, and joined nobody"),
    N_("{name} has another name, and keeps it: an e-mail address is no proof"),
    N_("{name} had another name until now"),
    N_("{name} had another value until now"),
    N_(
        "whoever has this id has none of these e-mail addresses, and no name that both have: the id may be "
        "another system's, and is then to be imported as of that one"
    ),
    # Purchases, orders and consents.
    N_("must be the id or e-mail address of a customer"),
    N_("is what several customers have: name one by an id that is known"),
    N_("names several customers: the first is taken"),
    N_("is nobody's until somebody claims it, and that is left out: skipped"),
    N_("further lines of orders already read: skipped"),
    N_("as a line before says it of this order: if that is its total, leave one"),
    N_("must be the same in all rows of an order"),
    N_("is of the same order as line {line}, which is refused"),
    N_("is of an order of more than {most} rows: must be at most that"),
    N_("failed or not paid: skipped, and what another file brought stays"),
    N_("money that went out names no customer: skipped, see `refunded`"),
    N_("must be at most what was paid"),
    N_("is after {column}"),
    N_("is before {column}"),
    N_("must be one of {codes}"),
    N_("must be yes or no, or a word for it such as unsubscribed"),
    N_("must be a purpose that there is, such as {purposes}"),
    N_("is what customers have of us: a file ends it for nobody"),
    N_("is older than what they have said since, which stays"),
    # Rows that are none of the table.
    N_("is a total or a count, by what it says first: skipped"),
    N_("is words alone where an id would be: skipped as a note"),
    N_("names the columns again: skipped"),
    N_("reads like a total, but has an id or an address: taken for a row like the others"),
    # The file as a whole.
    N_("{file} is empty"),
    N_("{file} has no rows under its header: nothing is imported"),
    N_("{file} is not all text of one encoding: save it as UTF-8, or say which with --encoding"),
    N_("{file} is not a workbook: save it again, as .xlsx or CSV"),
    N_("{file} is not an .xlsx workbook: save it as .xlsx or CSV"),
    N_("{file} has no sheet of cells"),
    N_("must say what amounts without a currency are in: nothing else here does"),
    N_(
        "{cell} on line {line} may begin with the day or the month: say --date-format %d/%m/%Y or "
        "--date-format %m/%d/%Y"
    ),
    N_("{cell} on line {line} may have a decimal or a thousands separator: say --decimal . or --decimal ,"),
    N_("no column says whose the rows are; say which with --map customer=COLUMN, of ids or e-mail addresses"),
    N_(
        "no column says yes or no: say which with --map consent=COLUMN, or which says when somebody left "
        "with --map left_date=COLUMN; where all of them said yes, --set consent=yes"
    ),
    # How it is read.
    N_("amounts are read with a decimal comma"),
    N_("dates are read with the day first"),
    N_("dates are read with the month first"),
    N_("sheet {sheet} is read; --sheet names another: {others}"),
    N_("line {line} names the columns, and none above is read; --header-row names another"),
    N_("line {line} is taken for names of columns; --header-row 0 says that none names them"),
    N_("guessed by what all cells hold, for no name tells it: {columns}; --map says otherwise"),
    N_("no column is used for names; if one of these holds them, say --map display_name=COLUMN: {columns}"),
    N_("not UTF-8: read as {encoding}; if letters look wrong, say --encoding {other}"),
    N_("what would change from what to what, only those see who may read customers"),
    N_("imported already at {time}, read so: nothing changes"),
    N_("statuses that are not known, whose rows count as sales: {statuses}"),
    N_(
        "all rows of each order say the same amount: they were added up; if it is that of the whole order, "
        "leave one row of each"
    ),
)
# What is meant for who types commands, and what it says to who has pages.
OTHERWISE = {
    "new customers: {n}; nothing was known of them, and they {would} called by their id or address until "
    "`rapport import customers --system {system}` names them": N_(
        "new customers: {n}; nothing was known of them: they are called by their id or address until a file "
        "of customers names them"
    ),
}


def said(told: str, say: Speech) -> str:
    """A text in the reader's language; as it is where it is none of these."""
    for pattern, text in _patterns():
        if match := pattern.fullmatch(told):
            values = match.groupdict()
            # The other values are of the file, such as the name of a column.
            return say(text, **values | {name: said(values[name], say) for name in values if name == "why"})
    return say(told)


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """What finds a text with its values, and what is said then; those that begin with a value last."""
    told = {**{text: text for text in TEXTS}, **OTHERWISE}
    ranked = sorted(told.items(), key=lambda each: each[0].startswith("{"))
    return [(_pattern(text), as_said) for text, as_said in ranked]


def _pattern(text: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", text)
    return re.compile(
        "".join(f"(?P<{part}>.+)" if place % 2 else re.escape(part) for place, part in enumerate(parts)),
        re.DOTALL,
    )
