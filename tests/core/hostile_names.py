"""Names that a diagram must show as they are: each means something to Mermaid, HTML or Markdown."""

HOSTILE_NAMES = (
    'a"b', "'", "`code`", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<br>",
    "<!-- c -->", "&lt;", "&amp;", "#quot;", "#35;", "# heading", "%% comment", "%%{init:{}}%%",
    "100%", "a;b", "a:b", "::: cls", "a|b", "a^b", "a\\b", "\\n", "line\nbreak", "a\tb", "  pad  ",
    "]]", "[[", "[*]", "{", "}", "--", "---", "a --> b", "@@", "!", "?", "~~s~~", "$$x$$", "*em*",
    "**bold**", "_em_", "__init__", "__proto__", "constructor", "1. list", "- item",
    "![x](http://evil.example/x.png)", "[x](http://evil.example)", "http://evil.example",
    "javascript:alert(1)", "end", "state", "note", "click", "href", "direction LR", "Direction TB",
    "stateDiagram-v2", "classDef x", "style s0 fill:red", "hide empty description", "accTitle: x",
    "fork <<fork>>", "日本語", "عربي", "🎉 party", "\u202eabc", "x" * 500,
)  # fmt: skip
