"""Strings of alerts that attack, or only confuse, a page that shows them."""

HOSTILE = [
    "<img src=x onerror=alert(1)><script>alert(2)</script>",
    "\u202egnp.exe\u202c and \u0007\u001b[31mred\u001b[0m",
    "[bold red]markup[/] &amp; \"quotes\" 'single' `tick` ${x} {{x}} %s \\",
    "a surrogate \ud800 and a byte \udcff",
    "x" * 1_000_000,
    "عربي 中文 emoji \U0001f6a8 zero\u200bwidth\u0000nul",
    "javascript:alert(1)",
    "--><svg/onload=alert(1)>",
]
