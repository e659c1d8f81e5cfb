// Exchanges over time. Dragging sets the range; the keyboard does the same with arrows and Enter.

import { VisuallyHidden } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { type KeyboardEvent, type PointerEvent, useState } from "react";
import { timeTicks } from "../thread/ticks";
import { axisTime, dayAndTime, plural } from "./format";
import styles from "./Histogram.module.css";

export interface Bar {
  readonly from: string;
  readonly fine: number;
  readonly client: number;
  readonly server: number;
  readonly other: number;
  readonly sessions: number;
}

/** Something that happened at a moment: a policy was saved. */
export interface Mark {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly label: string;
}

export interface HistogramProps {
  readonly bars: readonly Bar[];
  readonly marks: readonly Mark[];
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  readonly stale: boolean;
  readonly onBrush: (from: number, to: number) => void;
}

const height = 56;
const floor = 14;

export function Histogram({ bars, marks, from, to, stale, onBrush }: HistogramProps) {
  const { ref, width } = useElementSize();
  const [brush, setBrush] = useState<{ readonly start: number; readonly end: number } | undefined>();
  const [cursor, setCursor] = useState<number | undefined>();
  const most = bars.reduce((top, bar) => Math.max(top, total(bar)), 1);
  const step = bars.length === 0 ? 0 : width / bars.length;
  const barAt = (event: PointerEvent<SVGSVGElement>): number => {
    const { left } = event.currentTarget.getBoundingClientRect();
    return Math.min(Math.max(Math.floor((event.clientX - left) / Math.max(step, 1e-6)), 0), bars.length - 1);
  };
  const edge = (position: number): number => from + ((to - from) * position) / Math.max(bars.length, 1);
  const choose = (one: number, other: number): void => {
    onBrush(edge(Math.min(one, other)), edge(Math.max(one, other) + 1));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = cursor ?? bars.length - 1;
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      event.preventDefault();
      event.stopPropagation();
      const next = Math.min(Math.max(at + (event.key === "ArrowLeft" ? -1 : 1), 0), bars.length - 1);
      setCursor(next);
      setBrush(event.shiftKey ? { start: brush?.start ?? at, end: next } : undefined);
    } else if (event.key === "Enter" && cursor !== undefined) {
      event.preventDefault();
      choose(brush?.start ?? cursor, brush?.end ?? cursor);
      setBrush(undefined);
    }
  };
  const pointed = cursor === undefined ? undefined : bars[cursor];
  const within = marks.filter(({ at }) => at >= from && at < to);
  const there = cursor === undefined ? [] : within.filter(({ at }) => at >= edge(cursor) && at < edge(cursor + 1));
  const drag = brush === undefined ? undefined : [Math.min(brush.start, brush.end), Math.max(brush.start, brush.end) + 1] as const;
  return (
    <div ref={ref} className={styles.histogram} data-stale={stale || undefined}>
      <svg
        width={width}
        height={height + floor}
        role="slider"
        tabIndex={0}
        aria-label="Exchanges over time; arrows move, Shift extends, Enter sets the range"
        aria-valuemin={0}
        aria-valuemax={Math.max(bars.length - 1, 0)}
        aria-valuenow={cursor ?? 0}
        aria-valuetext={pointed === undefined ? "no bar chosen" : describe(pointed, there)}
        onKeyDown={onKeyDown}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          const at = barAt(event);
          setBrush({ start: at, end: at });
        }}
        onPointerMove={(event) => {
          const at = barAt(event);
          setCursor(at);
          setBrush((held) => (held === undefined || event.buttons === 0 ? undefined : { ...held, end: at }));
        }}
        onPointerUp={() => {
          if (brush !== undefined) {
            choose(brush.start, brush.end);
          }
          setBrush(undefined);
        }}
        onPointerLeave={() => {
          setCursor(undefined);
        }}
        onBlur={() => {
          setCursor(undefined);
          setBrush(undefined);
        }}
      >
        <path className={styles.base} d={`M0 ${height + 0.5}H${width}`} />
        {drag === undefined ? null : (
          <rect className={styles.brush} x={drag[0] * step} y={0} width={(drag[1] - drag[0]) * step} height={height} />
        )}
        {cursor === undefined || drag !== undefined ? null : (
          <rect className={styles.cursor} x={cursor * step} y={0} width={step} height={height} />
        )}
        {(["fine", "other", "client", "server"] as const).map((kind) => (
          <path key={kind} className={styles[kind]} d={column(bars, kind, step, most)} />
        ))}
        {within.map(({ at, label }) => (
          <path key={`${at} ${label}`} className={styles.mark} d={markAt(((at - from) / Math.max(to - from, 1)) * width, width)}>
            <title>{label}</title>
          </path>
        ))}
        {ticks(from, to, width).map(({ x, label }) => (
          <text key={x} className={styles.tick} x={x} y={height + 11}>
            {label}
          </text>
        ))}
      </svg>
      {within.length === 0 ? null : (
        <VisuallyHidden component="ul" aria-label="Marks on the chart">
          {within.map(({ at, label }) => (
            <li key={`${at} ${label}`}>
              {label}, {dayAndTime(new Date(at))}
            </li>
          ))}
        </VisuallyHidden>
      )}
      {pointed === undefined || cursor === undefined ? null : (
        <div className={styles.tip} style={{ left: Math.min(Math.max(cursor * step, 90), Math.max(width - 130, 90)) }}>
          {describe(pointed, there)}
        </div>
      )}
    </div>
  );
}

function total(bar: Bar): number {
  return bar.fine + bar.client + bar.server + bar.other;
}

/** A line through the chart with a flag at its top, which stays inside. */
function markAt(x: number, width: number): string {
  const flag = x > width - 8 ? -6 : 6;
  return `M${x.toFixed(1)} ${height}V-4l${flag} 3.5l${-flag} 3.5`;
}

function describe(bar: Bar, marks: readonly Mark[]): string {
  const wrong = bar.client + bar.server;
  return [
    dayAndTime(new Date(bar.from)),
    plural(total(bar), "exchange"),
    plural(bar.sessions, "session"),
    wrong === 0 ? "" : plural(wrong, "error"),
    ...marks.map(({ label }) => label),
  ]
    .filter((part) => part !== "")
    .join(" · ");
}

/** Stacked: what went well at the bottom, errors on top. */
function column(bars: readonly Bar[], kind: "fine" | "client" | "server" | "other", step: number, most: number): string {
  const order = ["fine", "other", "client", "server"] as const;
  const gap = step > 4 ? 1 : 0;
  let path = "";
  for (const [position, bar] of bars.entries()) {
    if (bar[kind] === 0) {
      continue;
    }
    const below = order.slice(0, order.indexOf(kind)).reduce((sum, name) => sum + bar[name], 0);
    const scale = (height - 4) / most;
    const tall = Math.max(bar[kind] * scale, 1);
    const bottom = height - below * scale;
    const x = position * step;
    path += `M${x.toFixed(2)} ${bottom.toFixed(2)}h${Math.max(step - gap, 0.5).toFixed(2)}v${(-tall).toFixed(2)}h${(-Math.max(step - gap, 0.5)).toFixed(2)}Z`;
  }
  return path;
}

/** Round times in the reader's zone. */
function ticks(from: number, to: number, width: number): { x: number; label: string }[] {
  const { step, moments } = timeTicks(from, to, Math.max(Math.floor(width / 130), 2));
  return moments
    .map((moment) => ({ x: ((moment - from) / Math.max(to - from, 1)) * width, label: axisTime(new Date(moment), step) }))
    .filter(({ x }) => x > 20 && x < width - 24);
}
