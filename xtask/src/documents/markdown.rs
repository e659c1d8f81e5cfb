//! As much of Markdown as the checks need: code spans, fenced blocks, links and headings, each with its line. Blocks by
//! indentation are prose here; fence what is code.

/// One document.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Document {
    /// Inline code, on one line or wrapped.
    pub(crate) spans: Vec<Span>,
    /// Fenced blocks.
    pub(crate) blocks: Vec<Block>,
    /// Targets of links and pictures.
    pub(crate) links: Vec<Span>,
    /// Anchors of the headings, as code hosts make them.
    pub(crate) anchors: Vec<String>,
}

/// A piece of text and the line, counted from 1, where it starts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// A fenced block.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// The first line inside the fence, counted from 1.
    pub(crate) line: usize,
    /// What follows the opening fence, as in `sh`.
    pub(crate) language: String,
    pub(crate) text: String,
}

/// Reads a document.
pub(crate) fn parse(text: &str) -> Document {
    let mut document = Document { blocks: blocks(text), ..Document::default() };
    let mut paragraph: Vec<(usize, &str)> = Vec::new();
    let mut previous = 0;
    for (number, line) in prose_lines(text) {
        // A fence between two lines ends a paragraph as a blank line does.
        if line.trim().is_empty() || number != previous + 1 {
            take_paragraph(&mut paragraph, &mut document);
        }
        let heading = line.strip_prefix('#').map(|rest| rest.trim_start_matches('#'));
        if let Some(heading) = heading.filter(|heading| heading.starts_with(' ')) {
            let anchor = unique_anchor(&document.anchors, heading);
            document.anchors.push(anchor);
        }
        paragraph.push((number, line));
        previous = number;
    }
    take_paragraph(&mut paragraph, &mut document);
    document
}

/// The lines outside fenced blocks, with their numbers.
pub(crate) fn prose_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fence: Option<&str> = None;
    text.lines().enumerate().filter_map(move |(position, line)| {
        match fence {
            Some(open) if closes(line, open) => fence = None,
            Some(_) => {}
            None => match opening_fence(line) {
                Some(open) => fence = Some(open),
                None => return Some((position + 1, line)),
            },
        }
        None
    })
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut fence: Option<&str> = None;
    for (position, line) in text.lines().enumerate() {
        match fence {
            Some(open) if closes(line, open) => fence = None,
            Some(_) => {
                if let Some(block) = blocks.last_mut() {
                    block.text.push_str(line);
                    block.text.push('\n');
                }
            }
            None => {
                fence = opening_fence(line);
                if let Some(open) = fence {
                    let language = line.trim_start()[open.len()..].trim().to_owned();
                    blocks.push(Block { line: position + 2, language, text: String::new() });
                }
            }
        }
    }
    blocks
}

/// The run of backticks or tildes that opens a fence.
fn opening_fence(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let mark = line.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let length = line.len() - line.trim_start_matches(mark).len();
    (length >= 3 && !line[length..].contains('`')).then(|| &line[..length])
}

fn closes(line: &str, open: &str) -> bool {
    let line = line.trim();
    line.starts_with(open) && line.trim_start_matches(|mark| open.starts_with(mark)).is_empty()
}

/// Takes code spans and links out of the lines of one paragraph.
fn take_paragraph(lines: &mut Vec<(usize, &str)>, document: &mut Document) {
    let Some((first, _)) = lines.first().copied() else { return };
    let mut text = lines.iter().map(|(_, line)| *line).collect::<Vec<_>>().join("\n");
    lines.clear();
    let line_of = |text: &str, offset: usize| first + text[..offset].matches('\n').count();

    let mut from = 0;
    while let Some(start) = text[from..].find('`').map(|found| from + found) {
        let inside = start + text[start..].len() - text[start..].trim_start_matches('`').len();
        let mark = "`".repeat(inside - start);
        let Some(end) = closing_run(&text, inside, mark.len()) else {
            from = inside;
            continue;
        };
        let code = text[inside..end].replace('\n', " ");
        document.spans.push(Span { line: line_of(&text, start), text: code.trim().to_owned() });
        // Blanked, so that code is not read as a link.
        let after = end + mark.len();
        let blank: String = text[start..after].chars().map(|one| if one == '\n' { '\n' } else { ' ' }).collect();
        text.replace_range(start..after, &blank);
        from = start + blank.len();
    }

    for (offset, _) in text.match_indices("](") {
        let rest = &text[offset + 2..];
        let Some(end) = rest.find([')', '\n']) else { continue };
        let target = rest[..end].split_whitespace().next().unwrap_or_default();
        document.links.push(Span { line: line_of(&text, offset), text: target.trim_matches(['<', '>']).to_owned() });
    }
    for (position, line) in text.lines().enumerate() {
        let reference = line.strip_prefix('[').and_then(|rest| rest.split_once("]: "));
        if let Some(target) = reference.and_then(|(_, rest)| rest.split_whitespace().next()) {
            document.links.push(Span { line: first + position, text: target.trim_matches(['<', '>']).to_owned() });
        }
    }
}

/// Where the next run of exactly `length` backticks starts.
fn closing_run(text: &str, mut from: usize, length: usize) -> Option<usize> {
    loop {
        let start = from + text[from..].find('`')?;
        let run = text[start..].len() - text[start..].trim_start_matches('`').len();
        if run == length {
            return Some(start);
        }
        from = start + run;
    }
}

/// The anchor of a heading; the second of the same name gets `-1`.
fn unique_anchor(anchors: &[String], heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter(|one| one.is_alphanumeric() || matches!(one, ' ' | '-' | '_'));
    let anchor: String = kept.map(|one| if one == ' ' { '-' } else { one }).collect();
    let mut unique = anchor.clone();
    let mut count = 0;
    while anchors.contains(&unique) {
        count += 1;
        unique = format!("{anchor}-{count}");
    }
    unique
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(spans: &[Span]) -> Vec<(usize, &str)> {
        spans.iter().map(|span| (span.line, span.text.as_str())).collect()
    }

    #[test]
    fn spans_know_their_line_and_may_wrap() {
        let document = parse("One `a/b`.\n\nThen `make\nrun` and ``a `b` c``, unclosed `x.\n");
        assert_eq!(texts(&document.spans), [(1, "a/b"), (3, "make run"), (4, "a `b` c")]);
    }

    #[test]
    fn fenced_blocks_are_no_prose() {
        let document = parse("```sh\nmake `x`\n```\n\n~~~~\n```\n~~~~\nProse `y`\n");
        assert_eq!(texts(&document.spans), [(8, "y")]);
        let blocks: Vec<_> = document.blocks.iter().map(|block| (block.line, &*block.language, &*block.text)).collect();
        assert_eq!(blocks, [(2, "sh", "make `x`\n"), (6, "", "```\n")]);
    }

    #[test]
    fn a_paragraph_does_not_run_past_a_block() {
        let document = parse("Unclosed `a\n```text\n```\nafter b`\n");
        assert_eq!(document.spans, []);
    }

    #[test]
    fn links_pictures_and_references_are_found() {
        let document = parse("[a](docs/a.md#top) ![b](b.png \"title\") `[c](d)`\n\n[e]: <f.md>\n");
        assert_eq!(texts(&document.links), [(1, "docs/a.md#top"), (1, "b.png"), (3, "f.md")]);
    }

    #[test]
    fn headings_have_anchors() {
        let document = parse("# What `make test` does, in order\n## A\n## A\n#no heading\n");
        assert_eq!(document.anchors, ["what-make-test-does-in-order", "a", "a-1"]);
    }
}
