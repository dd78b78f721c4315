"""The words that an installation begins with, each as plain text and as HTML."""

from dataclasses import dataclass, field

from notifications.domain.template import LINKS, OTHER

# Who reads in the dark gets light words on a dark ground, from mail programs that leave that to the letter.
_MJML = """\
<mjml>
<mj-head>
<mj-title>{subject}</mj-title>
<mj-raw><meta name="color-scheme" content="light dark" /></mj-raw>
<mj-attributes>
<mj-all font-family="system-ui, -apple-system, 'Segoe UI', Roboto, Arial, sans-serif" />
<mj-section padding="0" />
<mj-text font-size="16px" line-height="1.5" color="#1f2328" padding="12px 24px" />
</mj-attributes>
<mj-style>
.letter a {{ color: #0b57a4; }}
@media (prefers-color-scheme: dark) {{
body, .letter {{ background-color: #16181d !important; }}
.letter div, .letter h1 {{ color: #e6e8eb !important; }}
.letter a {{ color: #9ecbff !important; }}
}}
</mj-style>
</mj-head>
<mj-body background-color="#ffffff" css-class="letter">
<mj-section><mj-column><mj-text>
<h1 style="font-size: 22px; line-height: 1.3; margin: 12px 0">{subject}</h1>
{paragraphs}
</mj-text></mj-column></mj-section>
</mj-body>
</mjml>
"""


@dataclass(frozen=True, slots=True)
class Link:
    """A paragraph that leads somewhere, to what a variable says."""

    variable: str
    words: str

    def if_there(self, told: str) -> str:
        """What is told of it, where there is one."""
        return f"{{% if {self.variable} %}}{told}{{% endif %}}" if self.variable in LINKS else told

    @property
    def plain(self) -> str:
        return self.if_there(f"{self.words}:\n{{{{ {self.variable} }}}}\n\n")

    @property
    def html(self) -> str:
        return self.if_there(f'<p><a href="{{{{ {self.variable} }}}}">{self.words}</a></p>')


@dataclass(frozen=True, slots=True)
class Letter:
    """The words of one template in one language, paragraph by paragraph."""

    language_code: str
    subject: str
    paragraphs: tuple[str | Link, ...]
    apology: str = ""
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def body(self) -> str:
        """As plain text."""
        told = (each.plain if isinstance(each, Link) else f"{each}\n\n" for each in self.paragraphs)
        return "".join(told).rstrip("\n") + "\n"

    @property
    def mjml(self) -> str:
        """As MJML."""
        paragraphs = "\n".join(map(_html, self.paragraphs))
        return _MJML.format(subject=self.subject, paragraphs=paragraphs)


def _html(paragraph: str | Link) -> str:
    if isinstance(paragraph, Link):
        return paragraph.html
    marked = paragraph.replace("{{ new_date }}", "<strong>{{ new_date }}</strong>")
    return f"<p>{marked.replace(chr(10), '<br />')}</p>"


_PAGES = Link("pages_link", "Your own page: what we promised you, and what you would like to hear from us")
_GERMAN_PAGES = Link(
    "pages_link", "Ihre eigene Seite: was wir zugesagt haben, und was Sie von uns hören möchten"
)
_COMPANY = "{% if company_name %}\n{{ company_name }}{% endif %}"
_REGARDS = "With kind regards,\n{{ contact_name }}" + _COMPANY
_GERMAN_REGARDS = "Mit freundlichen Grüßen\n{{ contact_name }}" + _COMPANY

DELAY = (
    Letter(
        "en-GB",
        "{% if reference %}{{ reference }}: a{% else %}A{% endif %} new date, {{ new_date }}",
        (
            "Dear {{ customer_name }},",
            "{{ apology }}",
            "We promised you this{% if reference %} ({{ reference }}){% endif %} by {{ old_date }}. {{ "
            "reason }} "
            "We now expect to be done by {{ new_date }}.",
            "You do not need to do anything. If the new date does not suit you, or if you would like to talk "
            "about it, please turn to me: {{ contact_reach }}. I know about this and will help you.",
            _PAGES,
            _REGARDS,
        ),
        "I am sorry: we cannot keep the date that we promised you, and you should hear that from us first.",
        {  # what departments forecast with; every other code is told as OTHER
            "carrier-delay": "The transport is taking longer than planned.",
            "out-of-stock": "Something that we need for this is out of stock, and more is on its way.",
            "weather": "The weather is holding us up.",
            "staff-shortage": "There are fewer of us at work than we had planned for.",
            OTHER: "Something came up that we did not foresee.",
        },
    ),
    Letter(
        "de",
        "{% if reference %}{{ reference }}: ein{% else %}Ein{% endif %} neuer Termin, {{ new_date }}",
        (
            "Guten Tag, {{ customer_name }},",
            "{{ apology }}",
            "Zugesagt hatten wir es{% if reference %} ({{ reference }}){% endif %} bis {{ old_date }}. "
            "{{ reason }} Jetzt rechnen wir damit bis {{ new_date }}.",
            "Sie müssen nichts tun. Wenn Ihnen der neue Termin nicht passt oder Sie darüber sprechen "
            "möchten, "
            "wenden Sie sich bitte an mich: {{ contact_reach }}. Ich weiß davon und helfe Ihnen.",
            _GERMAN_PAGES,
            _GERMAN_REGARDS,
        ),
        "es tut mir leid: Wir können den Termin nicht halten, den wir Ihnen zugesagt haben, und das "
        "sollen Sie "
        "zuerst von uns erfahren.",
        {
            "carrier-delay": "Der Transport dauert länger als geplant.",
            "out-of-stock": "Etwas, das wir dafür brauchen, ist nicht am Lager, und Nachschub ist unterwegs.",
            "weather": "Das Wetter hält uns auf.",
            "staff-shortage": "Wir sind weniger bei der Arbeit, als wir geplant hatten.",
            OTHER: "Es ist etwas dazwischengekommen, das wir nicht vorhergesehen haben.",
        },
    ),
)
RECOVERY = (
    Letter(
        "en-GB",
        "{% if reference %}{{ reference }}: the{% else %}The{% endif %} date stands, {{ old_date }}",
        (
            "Dear {{ customer_name }},",
            "We may have written to you that what we promised you{% if reference %} ({{ reference }}){% "
            "endif %} "
            "would be late. It will not be: we expect to keep the date that we promised you, {{ old_date }}.",
            "You do not need to do anything. If you would like to talk about it, please turn to me: "
            "{{ contact_reach }}.",
            _PAGES,
            _REGARDS,
        ),
    ),
    Letter(
        "de",
        "{% if reference %}{{ reference }}: es{% else %}Es{% endif %} bleibt beim Termin, {{ old_date }}",
        (
            "Guten Tag, {{ customer_name }},",
            "vielleicht haben wir Ihnen geschrieben, dass sich verspätet, was wir Ihnen zugesagt haben"
            "{% if reference %} ({{ reference }}){% endif %}. Das wird es nicht: Wir rechnen damit, den "
            "zugesagten Termin zu halten, {{ old_date }}.",
            "Sie müssen nichts tun. Wenn Sie darüber sprechen möchten, wenden Sie sich bitte an mich: "
            "{{ contact_reach }}.",
            _GERMAN_PAGES,
            _GERMAN_REGARDS,
        ),
    ),
)
CONFIRM = (
    Letter(
        "en-GB",
        "Please confirm: {{ confirm_purpose }}",
        (
            "Dear {{ customer_name }},",
            "Somebody, we hope you, told us that you would like to hear from us about this: "
            "{{ confirm_purpose }}.",
            Link("confirm_link", "Please look at it and confirm it here"),
            "The link works for seven days. If it was not you, or you do not want it any more, you do "
            "not need "
            "to do anything: without your confirmation you will not hear from us about this.",
            _REGARDS,
        ),
    ),
    Letter(
        "de",
        "Bitte bestätigen: {{ confirm_purpose }}",
        (
            "Guten Tag, {{ customer_name }},",
            "jemand, hoffentlich Sie, hat uns gesagt, dass Sie davon von uns hören möchten: "
            "{{ confirm_purpose }}.",
            Link("confirm_link", "Bitte sehen Sie es sich hier an und bestätigen Sie es"),
            "Der Link gilt sieben Tage. Wenn Sie das nicht waren oder es nicht mehr möchten, müssen Sie "
            "nichts "
            "tun: Ohne Ihre Bestätigung hören Sie davon nichts von uns.",
            _GERMAN_REGARDS,
        ),
    ),
)
