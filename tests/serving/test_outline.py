from groundswell.serving._outline import Outline


def test_shows_facts_and_what_is_below_and_leaves_empty_facts_out():
    outline = Outline("a", (("x", "1"), ("y", "")), (Outline("b", (("z", "2"),)), Outline("c")))
    assert outline.to_text() == "a\n├── x: 1\n├── b\n│   └── z: 2\n└── c"
    assert outline.to_html() == "<b>a</b><ul><li>x: 1</li><li><b>b</b><ul><li>z: 2</li></ul></li><li><b>c</b></li></ul>"


def test_takes_nothing_for_markup():
    outline = Outline("[red]a[/red]<b>", (("[x]", "\x1b[2J\n&"),))
    assert outline.to_text() == "[red]a[/red]<b>\n└── [x]: \\x1b[2J\\n&"
    assert outline.to_html() == "<b>[red]a[/red]&lt;b&gt;</b><ul><li>[x]: \\x1b[2J\\n&amp;</li></ul>"
