// A message as it stood on the wire. What has a point can be clicked; what the chosen point selects is marked.
// Everything in here is hostile: text only, unseen characters spelled out, line ends and tabs alone left as they are.

import { Menu, Portal } from "@mantine/core";
import { memo, type MouseEvent, useEffect, useMemo, useRef, useState } from "react";
import { bytes } from "../../ui/format";
import { visible } from "../../ui/visible";
import { bringIntoSight } from "./bringIntoSight";
import type { SeenPoint } from "./listed";
import styles from "./Message.module.css";
import { type Here, type Part, pointsAt, type Segment, segments, type Side } from "./placed";
import type { Selection } from "./questions";

export interface MessageViewProps {
  readonly sides: readonly Side[] | undefined;
  readonly points: readonly SeenPoint[];
  readonly selections: readonly Selection[];
  readonly chosen: string | undefined;
  readonly stale: boolean;
  readonly onChoose: (point: string) => void;
}

/** What a click may have meant, and where it was. */
interface Clicked extends Here {
  readonly x: number;
  readonly y: number;
}

export function MessageView({ sides, points, selections, chosen, stale, onChoose }: MessageViewProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const [clicked, setClicked] = useState<Clicked | undefined>();
  useEffect(() => {
    // What was chosen is brought into sight; what is in sight stays where it is.
    bringIntoSight(scroller.current, scroller.current?.querySelector("mark"));
  }, [selections]);

  const parts = useMemo(() => new Map((sides ?? []).flatMap((side) => partsOf(side)).map((part) => [part.key, part])), [sides]);
  const onClick = (event: MouseEvent): void => {
    const target = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-from]") : null;
    const part = parts.get(target?.closest<HTMLElement>("[data-part]")?.dataset["part"] ?? "");
    // Whoever drags over text wants to copy it.
    if (target === null || part === undefined || window.getSelection()?.isCollapsed === false) {
      return;
    }
    const here = pointsAt(part, { from: Number(target.dataset["from"]), to: Number(target.dataset["to"]) }, points);
    const innermost = here.around[0] ?? here.decoded[0];
    if (innermost === undefined) {
      return;
    }
    onChoose(innermost.listed.point);
    if (here.around.length + here.decoded.length > 1) {
      setClicked({ ...here, x: event.clientX, y: event.clientY });
    }
  };
  if (sides === undefined) {
    return <div className={styles.message} aria-busy="true" aria-label="Loading the message" />;
  }
  return (
    // Each point of the message is in the list beside it, which is there for the keyboard.
    // oxlint-disable-next-line jsx-a11y/no-static-element-interactions, jsx-a11y/click-events-have-key-events
    <div ref={scroller} className={styles.message} data-stale={stale || undefined} onClick={onClick}>
      {sides.map((side) => (
        <section key={side.side} aria-label={side.side === "request" ? "Request" : "Response"}>
          <h3 className={styles.side}>
            {side.side === "request" ? "Request" : "Response"}
            {side.host === undefined ? null : (
              <span className={styles.to}>
                to <PartText part={side.host} points={points} selections={selections} />
              </span>
            )}
          </h3>
          <div className={styles.line}>
            {side.line.map((part) => (
              <PartText key={part.key} part={part} points={points} selections={selections} />
            ))}
          </div>
          {side.headers.map((part) => (
            <div key={part.key} className={styles.header}>
              <bdi className={styles.name}>{visible(part.name ?? "")}:</bdi> <PartText part={part} points={points} selections={selections} />
            </div>
          ))}
          <div className={styles.body}>
            {side.body.bytes.text === "" ? (
              <span className={styles.none}>{side.extent === "not_captured" ? "The body was not captured." : "No body."}</span>
            ) : (
              <PartText part={side.body} points={points} selections={selections} />
            )}
            {side.extent === "prefix" ? <p className={styles.none}>Cut here: the rest of the body was not captured.</p> : null}
          </div>
        </section>
      ))}
      {clicked === undefined ? null : (
        <Alternatives
          clicked={clicked}
          chosen={chosen}
          onChoose={onChoose}
          onClose={() => {
            setClicked(undefined);
          }}
        />
      )}
    </div>
  );
}

function partsOf(side: Side): readonly Part[] {
  return [...side.line, ...(side.host === undefined ? [] : [side.host]), ...side.headers, side.body];
}

/** Characters of a part that are drawn, unseen ones counted as they are spelled out: a body full of those is an attack. */
const drawnAtMost = 96 * 1024;

interface PartTextProps {
  readonly part: Part;
  readonly points: readonly SeenPoint[];
  readonly selections: readonly Selection[];
}

/** Drawn again only when something changes in this part: most of a choice is about one part of many. */
function PartText({ part, points, selections }: PartTextProps) {
  const own = selections.filter((selection) => selection.side === part.side && selection.part === part.part && selection.header === part.header);
  const key = JSON.stringify(own);
  // oxlint-disable-next-line react/exhaustive-deps -- equal selections are the same
  const same = useMemo(() => own, [key]);
  return <Drawn part={part} points={points} selections={same} />;
}

const Drawn = memo(function Drawn({ part, points, selections }: PartTextProps) {
  const cut = useMemo(() => segments(part, points, selections), [part, points, selections]);
  const { pieces, rest } = useMemo(() => draw(part.bytes.text, cut), [part, cut]);
  return (
    <bdi className={styles.part} data-part={part.key}>
      {pieces.map(({ segment, shown }) => (
        <Piece key={segment.from} segment={segment} shown={shown} />
      ))}
      {rest ? <span className={styles.none}> … of {bytes(part.bytes.at.at(-1) ?? 0)} in all; the rest is not drawn.</span> : null}
    </bdi>
  );
});

interface Drawing {
  readonly segment: Segment;
  readonly shown: string;
}

/** The segments as they are shown, up to where drawing ends. */
function draw(text: string, cut: readonly Segment[]): { readonly pieces: readonly Drawing[]; readonly rest: boolean } {
  const pieces: Drawing[] = [];
  let left = drawnAtMost;
  for (const segment of cut) {
    const whole = lines(text.slice(segment.from, Math.min(segment.to, segment.from + left)));
    const shown = whole.slice(0, left);
    pieces.push({ segment, shown });
    left -= shown.length;
    if (left <= 0 || shown.length < whole.length) {
      return { pieces, rest: true };
    }
  }
  return { pieces, rest: false };
}

const Piece = memo(function Piece({ segment, shown }: Drawing) {
  const { from, to, point, whole, selected } = segment;
  const data = point === undefined ? {} : { "data-from": from, "data-to": to, "data-whole": whole || undefined };
  return selected === undefined ? (
    <span {...data}>{shown}</span>
  ) : (
    <mark data-decoded={selected === "decoded" || undefined} {...data}>
      {shown}
    </mark>
  );
});

/** Unseen characters spelled out, but for those that lay text out. */
function lines(text: string): string {
  return text
    .split(/([\n\t])/u)
    .map((piece) => (piece === "\n" || piece === "\t" ? piece : visible(piece)))
    .join("");
}

interface AlternativesProps {
  readonly clicked: Clicked;
  readonly chosen: string | undefined;
  readonly onChoose: (point: string) => void;
  readonly onClose: () => void;
}

const offeredAtMost = 14;

function Alternatives({ clicked, chosen, onChoose, onClose }: AlternativesProps) {
  const groups = [
    { label: "Here", points: clicked.around, from: "" },
    // What these begin with stands above them already.
    { label: "Decoded out of it", points: clicked.decoded.slice(0, offeredAtMost), from: clicked.around[0]?.listed.point ?? "" },
  ];
  return (
    <Menu opened onChange={onClose} position="bottom-start" middlewares={{ shift: true, flip: true }}>
      <Portal>
        <Menu.Target>
          <span className={styles.anchor} style={{ left: clicked.x, top: clicked.y }} />
        </Menu.Target>
      </Portal>
      <Menu.Dropdown
        aria-label="Points of what was clicked"
        onClick={(event) => {
          // The menu is a part of the message only to React.
          event.stopPropagation();
        }}
      >
        {groups.map(({ label, points, from }) =>
          points.length === 0 ? null : (
            <div key={label}>
              <Menu.Label>{label}</Menu.Label>
              {points.map(({ listed }) => (
                <Menu.Item
                  key={listed.point}
                  className={styles.alternative ?? ""}
                  data-chosen={listed.point === chosen || undefined}
                  onClick={() => {
                    onChoose(listed.point);
                  }}
                >
                  <bdi title={visible(listed.point)}>{visible(shortened(listed.point, from).replaceAll(" > ", " › "))}</bdi>
                  <bdi className={styles.example}>{visible(listed.value?.content.text?.slice(0, 60) ?? "")}</bdi>
                </Menu.Item>
              ))}
            </div>
          ),
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

function shortened(point: string, from: string): string {
  return from !== "" && point.startsWith(`${from} > `) ? `… > ${point.slice(from.length + 3)}` : point;
}
