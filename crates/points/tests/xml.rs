//! XML: random documents against a slow reference, cut at any byte, and damaged.
#![allow(clippy::unwrap_used)]

mod support;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use threadline_model::{CapturedBody, Exchange};
use threadline_points::{Bounds, Found, Plan, Point, Scratch, Side, Step};

/// A node of a document.
#[derive(Clone, Debug)]
enum Node {
    Element(Element),
    Text(String),
    Data(String),
    Comment(String),
}

#[derive(Clone, Debug)]
struct Element {
    tag: &'static str,
    attribute: Option<String>,
    nodes: Vec<Node>,
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c <>&\"'\\]é]{0,4}", Just("\r\n".to_owned()), Just(" ".to_owned())]
}

fn element() -> impl Strategy<Value = Element> {
    let tag = || select(vec!["a", "b", "c", "x:a"]);
    let leaf = (tag(), proptest::option::of(text())).prop_map(|(tag, attribute)| Element {
        tag,
        attribute,
        nodes: Vec::new(),
    });
    leaf.prop_recursive(5, 40, 5, move |inner| {
        let node = prop_oneof![
            3 => inner.prop_map(Node::Element),
            2 => text().prop_map(Node::Text),
            1 => "[a-c<& ]{0,4}".prop_map(Node::Data),
            1 => "[a-c<& ]{0,4}".prop_map(Node::Comment),
        ];
        (tag(), proptest::option::of(text()), vec(node, 0..6)).prop_map(|(tag, attribute, nodes)| Element {
            tag,
            attribute,
            nodes,
        })
    })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\'', "&#39;")
}

fn write(element: &Element, document: &mut String) {
    let Element { tag, attribute, nodes } = element;
    document.push_str(&format!("<{tag}"));
    if let Some(value) = attribute {
        document.push_str(&format!(" k = '{}'", escaped(value)));
    }
    if nodes.is_empty() {
        return document.push_str("/>");
    }
    document.push('>');
    for node in nodes {
        match node {
            Node::Element(element) => write(element, document),
            Node::Text(text) => document.push_str(&escaped(text)),
            Node::Data(text) => document.push_str(&format!("<![CDATA[{text}]]>")),
            Node::Comment(text) => document.push_str(&format!("<!--{text}-->")),
        }
    }
    document.push_str(&format!("</{tag}>"));
}

/// What the reference says of a value: the text, or the name of another outcome.
type Reference = Result<String, String>;

fn scalar(text: String) -> Reference {
    if text.is_empty() { Err("Empty".to_owned()) } else { Ok(text) }
}

fn local(tag: &str) -> &str {
    tag.rsplit(':').next().unwrap()
}

impl Element {
    fn elements(&self) -> Vec<&Self> {
        let elements = self.nodes.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            _ => None,
        });
        elements.collect()
    }

    fn value(&self) -> Reference {
        let texts = self.nodes.iter().map(|node| match node {
            Node::Text(text) => text.replace("\r\n", "\n"),
            Node::Data(text) => text.clone(),
            _ => String::new(),
        });
        let text: String = texts.collect();
        if !self.elements().is_empty() && text.trim().is_empty() { Err("NotScalar".to_owned()) } else { scalar(text) }
    }
}

/// Follows a way of tags and occurrences.
fn reference(root: &Element, way: &[(&str, u32)], attribute: bool) -> Reference {
    let mut at = vec![root];
    let mut found = None;
    for (tag, index) in way {
        let same = at
            .iter()
            .filter(|element| if tag.contains(':') { element.tag == *tag } else { local(element.tag) == *tag });
        let Some(element) = same.copied().nth(*index as usize) else { return Err("Absent".to_owned()) };
        found = Some(element);
        at = element.elements();
    }
    let element = found.unwrap();
    if !attribute {
        return element.value();
    }
    match &element.attribute {
        Some(value) => scalar(value.replace("\r\n", " ")),
        None => Err("Absent".to_owned()),
    }
}

fn point(way: &[(&str, u32)], attribute: bool) -> Point {
    let mut steps = vec![Step::Body, Step::Xml];
    for (tag, index) in way {
        steps.push(Step::Property((*tag).to_owned()));
        if *index > 0 {
            steps.push(Step::Index(*index));
        }
    }
    if attribute {
        steps.push(Step::Attribute("k".to_owned()));
    }
    Point::new(Side::Request, steps).unwrap()
}

fn way() -> impl Strategy<Value = Vec<(&'static str, u32)>> {
    vec((select(vec!["a", "b", "c", "x:a"]), prop_oneof![3 => Just(0_u32), 1 => 1..3_u32]), 1..5)
}

const SEVERAL: &[&str] = &[
    "property > names",
    "property > all",
    "property #comment > index > all",
    "property a > property > all",
    "property a > property > names",
    "property a > property b > index > all > attribute k",
    "property a > property a > index > names",
    "property > all > property > all > property > all",
    "property > all > property #comment > index > all",
];

fn several() -> Vec<Point> {
    SEVERAL.iter().map(|rest| Point::parse(&format!("request > body > xml > {rest}")).unwrap()).collect()
}

fn exchange(document: &str) -> Exchange {
    support::exchange("POST /", &[], document, None)
}

/// What a document's points find: whole, and of points that take several the values.
fn found(plan: &Plan, exchange: &Exchange) -> Vec<(Reference, Vec<Vec<u8>>)> {
    let mut scratch = Scratch::default();
    let extracted = plan.extract(exchange, &mut scratch);
    let values = |index| extracted.values(index).map(<[u8]>::to_vec).collect();
    (0..extracted.len()).map(|index| (support::in_words(extracted.get(index)), values(index))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_finds_what_the_reference_finds(root in element(), ways in vec((way(), any::<bool>()), 1..8)) {
        let mut document = String::new();
        write(&root, &mut document);
        let points: Vec<Point> = ways.iter().map(|(way, attribute)| point(way, *attribute)).collect();
        let plan = Plan::compile(&points, Bounds::default()).unwrap();
        let together = found(&plan, &exchange(&document));
        for (((way, attribute), point), (value, _)) in ways.iter().zip(&points).zip(&together) {
            prop_assert_eq!(value, &reference(&root, way, *attribute), "{} in {}", point, document);
            prop_assert_eq!(value, &support::resolve(&exchange(&document), &point.to_string()));
        }
    }

    #[test]
    fn a_cut_document_gives_the_beginning(root in element(), ways in vec((way(), any::<bool>()), 1..6), at in any::<Index>()) {
        let mut document = String::from("<!DOCTYPE a [<!ENTITY e 'x'>]><!--é-->");
        write(&root, &mut document);
        document.push_str("<!--z-->");
        let mut points: Vec<Point> = ways.iter().map(|(way, attribute)| point(way, *attribute)).collect();
        points.extend(several());
        let plan = Plan::compile(&points, Bounds::default()).unwrap();
        let mut exchange = exchange(&document);
        let whole = found(&plan, &exchange);
        exchange.request.body = CapturedBody::prefix(document.as_bytes()[..at.index(document.len())].to_vec());
        let mut scratch = Scratch::default();
        prop_assert!(plan.extract(&exchange, &mut scratch).parse_errors().is_empty());
        for (whole, cut) in whole.iter().zip(found(&plan, &exchange)) {
            prop_assert!(whole.1.starts_with(&cut.1), "{:?} {:?} {}", whole, cut, document);
            prop_assert!(cut.0.is_err() || cut.0 == whole.0);
            prop_assert!(cut.0 != Err("Absent".to_owned()) && cut.0 != Err("Unparsable".to_owned()));
        }
    }

    #[test]
    fn what_stands_before_damage_holds(root in element(), ways in vec((way(), any::<bool>()), 1..6), at in any::<Index>(), byte in any::<u8>()) {
        let mut document = String::new();
        write(&root, &mut document);
        let mut points: Vec<Point> = ways.iter().map(|(way, attribute)| point(way, *attribute)).collect();
        points.extend(several());
        let plan = Plan::compile(&points, Bounds::default()).unwrap();
        let mut damaged = document.clone().into_bytes();
        let at = at.index(damaged.len());
        damaged[at] = byte;
        // What stands before the changed byte is found in either.
        let mut exchange = exchange("");
        exchange.request.body = CapturedBody::prefix(damaged[..at].to_vec());
        let before = found(&plan, &exchange);
        exchange.request.body = CapturedBody::whole(damaged);
        for (before, after) in before.iter().zip(found(&plan, &exchange)) {
            prop_assert!(after.1.starts_with(&before.1), "{:?} {:?}", before, after);
        }
    }
}

#[test]
fn each_point_together_with_others_finds_what_it_finds_alone() {
    let document = "<a><!--1--><b k='1'>x</b><a>y<b k='2'/></a><b><c/>z<!--2--></b></a>";
    let plan = Plan::compile(&several(), Bounds::default()).unwrap();
    let exchange = exchange(document);
    for (point, together) in several().into_iter().zip(found(&plan, &exchange)) {
        let alone = Plan::compile(std::slice::from_ref(&point), Bounds::default()).unwrap();
        assert_eq!(found(&alone, &exchange), [together], "{point}");
    }
}

#[test]
fn hostile_documents_take_time_and_memory_by_their_size() {
    let plan = Plan::compile(&several(), Bounds::default()).unwrap();
    let many = |start: &str, piece: &str, end: &str| {
        let pieces = (0..60_000 / piece.len()).map(|number| piece.replace('#', &number.to_string()));
        [start, &pieces.collect::<String>(), end].concat()
    };
    for document in [
        many("<a", " k#=''", "/>"),
        many("<a", " k=''", "/>"),
        many("<a", " xmlns:n#='u'", "><n1:b/></a>"),
        many("<a>", "<b k='1'/>", "</a>"),
        many("<a>", "&#65;", "</a>"),
        many("<a>", "&", "</a>"),
        many("<a>", "<", "</a>"),
        many("<a>", "<!--", "</a>"),
        many("<!DOCTYPE a [", "<!ENTITY e# 'x'>", "]><a>&e1;</a>"),
        many("<!DOCTYPE a [<!ENTITY e ''>]><a>", "&e;", "</a>"),
        many(
            "<!DOCTYPE a [<!ENTITY e ''><!ENTITY f '",
            "&e;",
            "'>]><a>&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;</a>",
        ),
        many("<!DOCTYPE a [<!ENTITY % e ''>", "%e;", "]><a/>"),
        many("<!DOCTYPE a [", "<!ATTLIST a k# CDATA ''>", &format!("]><a>{}</a>", "<a/>".repeat(10_000))),
        many("<!DOCTYPE a [<!ATTLIST a ", "k# CDATA #IMPLIED ", &format!("]><a>{}</a>", "<a k1=''/>".repeat(5_000))),
        many(&format!("<!DOCTYPE a [<!ATTLIST {} ", "a".repeat(30_000)), "k# ID 'x' ", ">]><a/>"),
        many("<!DOCTYPE a [", "<!ATTLIST a# k NMTOKENS ' x  y '>", "]><a/>"),
        many("<!DOCTYPE a [<!ELEMENT a ", "(", ">]><a/>"),
        many("<!DOCTYPE a [<!ENTITY % e '", "<!ELEMENT a &#37;e; ANY>", "'>%e;]><a/>"),
        many("<?xml version='1.1'?><a>", "\u{85}\r", "</a>"),
        many("<?xml version='1.1'?><a>", "<b k='\u{2028}'/>", "</a>"),
        many("", "<a>", ""),
    ] {
        let mut scratch = Scratch::default();
        let started = std::time::Instant::now();
        let exchange = exchange(&document);
        let extracted = plan.extract(&exchange, &mut scratch);
        assert!(extracted.iter().all(|found| !matches!(found, Found::Masked)));
        assert!(started.elapsed().as_secs() < 5, "{}", &document[..60]);
    }
}
