//! The kinds of YAML syntax errors, and their texts.

use crate::diag::words::quoted;

/// The text to report for an error at a position.
#[derive(Clone, Copy)]
pub(super) enum Extent {
    /// The word.
    Word,
    /// The character.
    Character,
    /// The rest of the line.
    Line,
    /// The dash before the position.
    Dash,
    /// The tab before or after the position.
    Tab,
    /// The first bad escape of the quoted text.
    Escape,
}

/// Declares the error kinds with the text to report, headline, label and help. `{}` in a headline is the text at the
/// position of the error.
macro_rules! error_kinds {
    ($($(#[doc = $doc:expr])+ $kind:ident($extent:ident): $headline:literal, $label:literal, $help:literal;)+) => {
        /// The kinds of syntax errors, as a user would distinguish them.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(super) enum SyntaxErrorKind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl SyntaxErrorKind {
            fn table(self) -> (Extent, [&'static str; 3]) {
                match self {
                    $(SyntaxErrorKind::$kind => (Extent::$extent, [$headline, $label, $help]),)+
                }
            }
        }
    };
}

error_kinds! {
    /// A quote that is not closed.
    UnclosedQuote(Word): "this quote is never closed", "opened here", "add the closing quote where the text ends";
    /// Text after a closing single quote.
    TextAfterSingleQuote(Line): "text follows a closing quote", "expected the end of the value",
        "move the text inside the quotes, and write a single quote in it as `''`";
    /// Text after a closing double quote.
    TextAfterDoubleQuote(Line): "text follows a closing quote", "expected the end of the value",
        "move the text inside the quotes, and write a double quote in it as `\\\"`";
    /// An unknown or incomplete escape.
    BadEscape(Escape): "this backslash does not begin a valid escape",
        "expected an escape such as `\\n`, `\\\"`, `\\\\` or `\\u00e9`",
        "write `\\\\` for a backslash, or use single quotes";
    /// A `[` that is not closed.
    UnclosedBracket(Character): "this `[` is never closed", "opened here", "add the missing `]`";
    /// A `{` that is not closed.
    UnclosedBrace(Character): "this `{` is never closed", "opened here", "add the missing `}`";
    /// `[` closed by a brace.
    BracketClosedByBrace(Character): "`[` is closed by `}`", "opened here", "close it with `]`";
    /// `{` closed by a bracket.
    BraceClosedByBracket(Character): "`{` is closed by `]`", "opened here", "close it with `}`";
    /// A closing bracket or brace without an opening one.
    UnmatchedClose(Character): "unexpected {}: no bracket or brace is open", "nothing to close", "remove it";
    /// Other text where a list in brackets needs a comma or its end.
    NoCommaOrBracket(Word): "expected `,` or `]`, found {}", "the value before this is complete",
        "add a `,` before the next item, or put the whole value in quotes";
    /// Other text where a mapping in braces needs a comma or its end.
    NoCommaOrBrace(Word): "expected `,` or `}`, found {}", "the value before this is complete",
        "add a `,` before the next key, or put the whole value in quotes";
    /// `${NAME}` in braces, where its `{` ends the value.
    Variable(Word): "{} is not expanded", "a variable", "write its value";
    /// No value between two commas.
    MissingValue(Character): "expected a value, found {}", "a value is missing here", "";
    /// No comma between two lines in brackets.
    MissingComma(Word): "expected `,` before {}", "no comma before this key", "separate the entries with commas";
    /// `- ` in brackets.
    DashInBrackets(Character): "`-` cannot begin an item in brackets", "expected a value", "separate the items with commas";
    /// `- ` after a key.
    DashAfterKey(Character): "a list cannot begin on the line of its key", "a list item after a key",
        "put the `- ` on a new line";
    /// A tab where YAML requires spaces.
    Tab(Tab): "a tab where YAML requires spaces", "a tab", "indent with spaces";
    /// A line among keys without a colon, or without a space after it.
    MissingColon(Line): "expected `key: value`, found {}", "no key with a colon and a space",
        "write `key: value` with a space after the colon, or indent the line if it continues the value above";
    /// A colon without a space after it.
    NoSpaceAfterColon(Word): "{} has no space after its `:`", "parsed as one word", "add a space after the colon";
    /// `-x` for `- x`.
    NoSpaceAfterDash(Word): "{} has no space after its `-`", "parsed as one word", "add a space after the dash";
    /// A second colon on a line.
    SecondColon(Word): "unexpected `:` in a value", "a second colon on this line",
        "put the value in quotes, or move the inner key to a new line";
    /// A key that is indented deeper than the value before it.
    IndentedDeeper(Word): "{} is indented deeper than the keys above", "YAML reads this as a part of the value above",
        "indent it as far as the key above";
    /// A key that is not aligned with the keys above.
    MisalignedKey(Word): "{} is not aligned with the keys above", "no block begins at this column",
        "indent it as far as its siblings";
    /// A list item among keys.
    ItemAmongKeys(Dash): "a list item among the keys of a mapping", "expected a key",
        "indent the items below their key";
    /// Other text where a list item is expected.
    MissingDash(Word): "expected `- ` as in the items above, found {}", "no item begins here",
        "begin the line with `- `, or indent it as far as the text of its item";
    /// Text after a complete value.
    TextAfterValue(Line): "expected the end of the line, found {}", "the value before this is complete",
        "put the whole value in quotes";
    /// A top-level key that is indented less than the first.
    IndentedLess(Word): "{} is indented less than the first key", "further left than the first key",
        "begin all top-level keys at the same column";
    /// Text after the root value of the file.
    TextAfterRoot(Word): "expected the end of the file, found {}", "the value before this is complete", "";
    /// Text after `...`.
    TextAfterEndMarker(Word): "expected the end of the line, found {}", "after the end of the document", "remove it";
    /// Text that is not indented enough.
    TooLittleIndent(Word): "{} is not indented far enough", "further left than the value that it belongs to",
        "indent it deeper than its key";
    /// A character that cannot begin a bare word.
    ReservedCharacter(Character): "a value cannot begin with {}", "a reserved character", "put the value in quotes";
    /// A control character, which YAML does not allow.
    ControlCharacter(Character): "the character {} is not allowed in YAML", "a control character",
        "remove it, or write it as an escape in double quotes";
    /// A comment inside a multi-line value.
    CommentInValue(Line): "a comment interrupts a value", "the value continues after this",
        "move the comment to a line before the value";
    /// A `#` without a space before it.
    NoSpaceBeforeComment(Word): "a comment needs a space before its `#`", "no space before this", "add a space before `#`";
    /// `*` without a name.
    UnnamedAlias(Word): "an alias without a name", "expected a name", "put the value in quotes if it is a glob";
    /// `&` without a name.
    UnnamedAnchor(Word): "an anchor without a name", "expected a name", "put the value in quotes";
    /// Text after the `|` or `>` of a block scalar.
    BadBlockHeader(Line): "{} is not the header of a block scalar", "expected only `|` or `>` and the end of the line",
        "move the text to the next lines, or put the value in quotes";
    /// A malformed tag.
    BadTag(Word): "a tag has no meaning in a registry", "a tag",
        "remove the tag: the field decides the type";
    /// `%YAML` with another version.
    BadVersion(Line): "this is not YAML 1.2", "expected `%YAML 1.2`", "remove the line";
    /// An unknown or misplaced directive.
    BadDirective(Line): "unexpected directive", "a line that begins with `%`", "remove the line";
    /// A byte order mark after the start of the file.
    ByteOrderMark(Word): "a byte order mark inside the text", "only allowed at the start of the file", "remove it";
    /// Too many nested blocks.
    TooDeep(Character): "blocks are nested more than 64 levels deep", "this block is too deep",
        "close each block where it ends";
    /// A conflict marker of git.
    MergeConflict(Word): "unresolved merge conflict", "a conflict marker of git",
        "keep one of the two versions, and remove the lines that begin with `<<<<<<<`, `=======` and `>>>>>>>`";
    /// Any other error.
    Other(Word): "{} is not valid YAML", "parsing stops here", "";
}

impl SyntaxErrorKind {
    /// The text to report.
    pub(super) fn extent(self) -> Extent {
        self.table().0
    }

    /// The headline; `found` is the text at the position of the error.
    pub(super) fn headline(self, found: &str) -> String {
        let [headline, ..] = self.table().1;
        if headline.contains("{}") { headline.replace("{}", &quoted(found)) } else { headline.to_owned() }
    }

    /// The label at the position of the error.
    pub(super) fn label(self) -> &'static str {
        let [_, label, _] = self.table().1;
        label
    }

    /// The help, if there is one.
    pub(super) fn help(self) -> Option<&'static str> {
        let [.., help] = self.table().1;
        (!help.is_empty()).then_some(help)
    }
}
