//! Where in a YAML file a field stands, so that a mistake can be shown with its line. For block style only; what is
//! written on one line (`{…}`, `[…]`) has the line where it begins. Nothing is judged here: the file was read already.

/// The line, from 1, of a field such as `policy.parameters[2].point`, or of the nearest part of the file that holds it.
pub(crate) fn line_of(text: &str, field: &str) -> Option<usize> {
    let mut lines: Vec<(usize, String)> = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
        .map(|(number, line)| (number + 1, line.to_owned()))
        .collect();
    let mut found = None;
    for step in field.split(['.', '[']) {
        let inside = match step.strip_suffix(']') {
            Some(position) => item(&lines, position.parse().ok()?),
            None => value(&lines, step),
        };
        match inside {
            Some((number, inside)) => {
                found = Some(number);
                lines = inside;
            }
            None => break,
        }
    }
    found
}

type Lines = Vec<(usize, String)>;

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn is_item(line: &str) -> bool {
    line.trim_start() == "-" || line.trim_start().starts_with("- ")
}

/// The line of a key of a mapping, and the lines of its value.
fn value(lines: &[(usize, String)], key: &str) -> Option<(usize, Lines)> {
    let outer = indentation(&lines.first()?.1);
    let named = |line: &str| {
        let rest = line.trim_start().trim_start_matches(['"', '\'']).strip_prefix(key);
        rest.is_some_and(|rest| rest.trim_start_matches(['"', '\'']).trim_start().starts_with(':'))
    };
    let start = lines.iter().position(|(_, line)| indentation(line) == outer && named(line))?;
    let belongs = |line: &str| indentation(line) > outer || indentation(line) == outer && is_item(line);
    let inside = lines[start + 1..].iter().take_while(|(_, line)| belongs(line)).cloned().collect();
    Some((lines[start].0, inside))
}

/// The line of an item of a sequence, and its lines, the dash as a space.
fn item(lines: &[(usize, String)], position: usize) -> Option<(usize, Lines)> {
    let outer = indentation(&lines.first()?.1);
    let begins = |line: &str| indentation(line) == outer && is_item(line);
    let start = lines.iter().enumerate().filter(|(_, (_, line))| begins(line)).nth(position)?.0;
    let rest = lines[start + 1..].iter().take_while(|(_, line)| !begins(line) && indentation(line) > outer);
    let mut inside: Lines = std::iter::once(&lines[start]).chain(rest).cloned().collect();
    inside[0].1.replace_range(outer..=outer, " ");
    if inside[0].1.trim().is_empty() {
        inside.remove(0);
    }
    Some((lines[start].0, inside))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# first\nproxy:\n  listen: 127.0.0.1:1\n\n  upstream: ftp://x\nretention: {days: 0}\npolicy:\n  \
                        parameters:\n  - name: a\n    point: x\n  -\n    name: b\n    # the place\n    point: y\n";

    #[test]
    fn fields_are_found_in_block_style_and_the_nearest_part_otherwise() {
        for (field, line) in [
            ("proxy", Some(2)),
            ("proxy.upstream", Some(5)),
            ("retention.days", Some(6)),
            ("policy.parameters[0].point", Some(10)),
            ("policy.parameters[1].point", Some(14)),
            ("policy.parameters[1].group", Some(11)),
            ("policy.parameters[7].point", Some(8)),
            ("node", None),
        ] {
            assert_eq!(line_of(FILE, field), line, "{field}");
        }
        assert_eq!(line_of("", "proxy"), None);
    }
}
