//! What is wrong where YAML cannot be read, and the words for it.

use crate::diag::words::quoted;

/// Declares the slips with their headline, label and help. `{}` in a headline is the text at the place.
macro_rules! slips {
    ($($(#[doc = $doc:expr])+ $slip:ident: $headline:literal, $label:literal, $help:literal;)+) => {
        /// The kinds of syntax errors that a person would tell apart.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(super) enum Slip {
            $($(#[doc = $doc])+ $slip,)+
        }

        impl Slip {
            fn table(self) -> [&'static str; 3] {
                match self {
                    $(Slip::$slip => [$headline, $label, $help],)+
                }
            }
        }
    };
}

slips! {
    /// A quote without its end.
    OpenQuote: "this quote is never closed", "opened here", "close it with the same quote";
    /// Text behind the end of a single quote.
    AfterSingleQuote: "text follows a closing quote", "expected the end of the value",
        "inside single quotes write a quote twice, as in 'it''s'";
    /// Text behind the end of a double quote.
    AfterDoubleQuote: "text follows a closing quote", "expected the end of the value",
        "inside double quotes write a quote as `\\\"`";
    /// A backslash with something behind it that it cannot have.
    Escape: "this backslash begins no escape", "expected one such as `\\n`, `\\\"`, `\\\\` or `\\u00e9`",
        "write `\\\\` for a backslash, or use single quotes";
    /// `[` without its end.
    OpenBracket: "this `[` is never closed", "opened here", "add the missing `]`";
    /// `{` without its end.
    OpenBrace: "this `{` is never closed", "opened here", "add the missing `}`";
    /// `[` closed by a brace.
    BraceForBracket: "`[` is closed by `}`", "opened here", "close it with `]`";
    /// `{` closed by a bracket.
    BracketForBrace: "`{` is closed by `]`", "opened here", "close it with `}`";
    /// A closing bracket that nothing opened.
    StrayClose: "{} closes nothing", "nothing is open here", "remove it";
    /// Neither a comma nor the end of a list.
    InBrackets: "expected `,` or `]`, found {}", "the value before is complete", "put the value in quotes";
    /// Neither a comma nor the end of a mapping.
    InBraces: "expected `,` or `}`, found {}", "the value before is complete", "put the value in quotes";
    /// No value between two commas.
    NoValue: "expected a value, found {}", "a value is missing here", "";
    /// No comma between two lines in brackets.
    NoComma: "there is no `,` before {}", "expected a comma before this key",
        "separate what stands in brackets with commas";
    /// `- ` in brackets.
    DashInFlow: "`-` begins no item in brackets", "expected a value", "separate the items with commas";
    /// `- ` behind a key.
    DashOnLine: "a list cannot begin behind its key", "on the line of the key",
        "put `- ` on a line of its own";
    /// A tab where blanks belong.
    Tab: "a tab stands where YAML wants blanks", "a tab", "indent with blanks";
    /// A line without a colon among keys.
    NoColon: "{} has no `:` behind it", "expected a key with a colon",
        "write `key: value`, or indent the line if it belongs to the value above";
    /// A colon without a blank behind it.
    TightColon: "{} has no blank behind its `:`", "read as one word", "write a blank after the colon";
    /// `-x` for `- x`.
    TightDash: "{} has no blank behind its `-`", "read as one word", "write a blank after the dash";
    /// A second colon on a line.
    SecondColon: "a value cannot hold a key on the same line", "a second colon",
        "put the value in quotes, or the inner key on a line of its own";
    /// A key deeper than a value that has begun.
    TooFarIn: "{} is indented deeper than its siblings", "the value above goes on here",
        "indent it as far as the key above";
    /// A key that lines up with nothing.
    NoKey: "{} does not line up with the keys above", "no block begins at this column",
        "indent it as far as its siblings";
    /// An item of a list where keys stand.
    ItemAmongKeys: "a list item stands among keys", "expected a key",
        "indent the items below the key that they belong to";
    /// Something else than `- ` where items stand.
    NoDash: "expected `- ` as in the items above, found {}", "no item begins here",
        "begin the line with `- `, or indent it as far as the item that it belongs to";
    /// Text behind a complete value.
    AfterValue: "expected the end of the line, found {}", "the value before is complete",
        "put the whole value in quotes";
    /// A key further left than the first.
    TooFarOut: "{} is indented less than the first key", "further left than the file began",
        "begin all top keys at one column";
    /// Text behind the value that is the file.
    Outside: "expected the end of the file, found {}", "what stands before is complete", "";
    /// Text behind `...`.
    AfterMarker: "expected the end of the line, found {}", "behind the end of a document", "remove it";
    /// Text further left than what it belongs to.
    Indentation: "{} is not indented far enough", "further left than the value it belongs to",
        "indent it deeper than its key";
    /// A character that no bare word begins with.
    Reserved: "a value cannot begin with {}", "a reserved character", "put the value in quotes";
    /// A character that no text has.
    Control: "the character {} cannot stand in YAML", "here",
        "remove it, or write it as an escape in double quotes";
    /// A comment within a value.
    CommentInside: "a comment cuts a value in two", "the value goes on after this",
        "put the comment on a line before the value";
    /// A `#` with no blank before it.
    TightComment: "a comment needs a blank before its `#`", "no blank before this", "write a blank before `#`";
    /// `*` without a name.
    NoAlias: "an alias without a name", "expected a name", "put the value in quotes if it is a glob";
    /// `&` without a name.
    NoAnchor: "an anchor without a name", "expected a name", "put the value in quotes";
    /// A header of a block of text that is none.
    BlockHeader: "{} begins no block of text", "expected `|` or `>` alone on the rest of its line",
        "put the text on the lines below, or the value in quotes";
    /// A tag that is not even one.
    BadTag: "a tag has no meaning in a registry", "a tag",
        "remove the tag: a field's type decides what its value means";
    /// `%YAML` with another version.
    Version: "this is not YAML 1.2", "expected `%YAML 1.2`", "remove the line";
    /// A line that begins with `%` and cannot be read.
    Directive: "this directive cannot be read", "a line that begins with `%`", "remove the line";
    /// A byte order mark that is not at the start.
    Bom: "a byte order mark stands within the text", "here", "remove it";
    /// Too many blocks in blocks.
    TooDeep: "blocks are nested more than 64 deep", "one too many begins here", "close the blocks where they end";
    /// The mark of a merge conflict.
    Conflict: "a merge conflict was left in the file", "written by git", "settle the conflict";
    /// What has no name of its own.
    Unnamed: "{} cannot be read as YAML", "reading stops here", "";
}

impl Slip {
    /// The headline, where `found` is the text at the place.
    pub(super) fn headline(self, found: &str) -> String {
        let [headline, ..] = self.table();
        if headline.contains("{}") { headline.replace("{}", &quoted(found)) } else { headline.to_owned() }
    }

    /// What is drawn at the place.
    pub(super) fn label(self) -> &'static str {
        let [_, label, _] = self.table();
        label
    }

    /// What to do, if there is something to say.
    pub(super) fn help(self) -> Option<&'static str> {
        let [.., help] = self.table();
        (!help.is_empty()).then_some(help)
    }
}
