// The time range: presets, or two exact moments in the reader's own zone.

import { Button, Group, Popover, Stack, TextInput } from "@mantine/core";
import { IconChevronDown, IconClock } from "@tabler/icons-react";
import { useState } from "react";
import { type Range, presets, presetWords } from "../filters/range";
import { dayAndTime, inUtc } from "../ui/format";
import { useFollowing } from "../ui/useFollowing";
import styles from "./RangePicker.module.css";

export interface RangePickerProps {
  readonly range: Range;
  readonly onChange: (range: Range) => void;
}

export function RangePicker({ range, onChange }: RangePickerProps) {
  const [open, setOpen] = useState(false);
  const choose = (chosen: Range): void => {
    onChange(chosen);
    setOpen(false);
  };
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-end" trapFocus returnFocus>
      <Popover.Target>
        <Button
          variant="default"
          size="sm"
          fw={500}
          leftSection={<IconClock size={16} aria-hidden />}
          rightSection={<IconChevronDown size={14} aria-hidden />}
          title={range.kind === "exact" ? `${inUtc(range.from)} to ${inUtc(range.to)}` : undefined}
          onClick={() => {
            setOpen(!open);
          }}
        >
          {inWords(range)}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="sm">
          <Group gap={4} role="group" aria-label="Presets">
            {presets.map((preset) => (
              <Button
                key={preset}
                variant={range.kind === "last" && range.last === preset ? "filled" : "default"}
                onClick={() => {
                  choose({ kind: "last", last: preset });
                }}
              >
                {preset === "all" ? "everything" : preset}
              </Button>
            ))}
          </Group>
          <Exact range={range} onChoose={choose} />
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}

export function inWords(range: Range): string {
  if (range.kind === "last") {
    return presetWords(range.last);
  }
  const [from, to] = [new Date(range.from), new Date(range.to)];
  return `${dayAndTime(from)} – ${from.toDateString() === to.toDateString() ? dayAndTime(to).split(", ").at(-1) : dayAndTime(to)}`;
}

function Exact({ range, onChoose }: { readonly range: Range; readonly onChoose: (range: Range) => void }) {
  const [from, setFrom] = useFollowing(range.kind === "exact" ? local(range.from) : "");
  const [to, setTo] = useFollowing(range.kind === "exact" ? local(range.to) : "");
  const start = Date.parse(from);
  const end = Date.parse(to);
  const wrong = !Number.isNaN(start) && !Number.isNaN(end) && start >= end ? "must be after the start" : undefined;
  return (
    <form
      className={styles.exact}
      onSubmit={(event) => {
        event.preventDefault();
        if (wrong === undefined) {
          onChoose({ kind: "exact", from: new Date(start).toISOString(), to: new Date(end).toISOString() });
        }
      }}
    >
      <TextInput
        type="datetime-local"
        step={1}
        label="From"
        description="your time zone"
        required
        withAsterisk={false}
        value={from}
        onChange={(event) => {
          setFrom(event.currentTarget.value);
        }}
      />
      <TextInput
        type="datetime-local"
        step={1}
        label="To"
        description="not included"
        required
        withAsterisk={false}
        value={to}
        error={wrong}
        onChange={(event) => {
          setTo(event.currentTarget.value);
        }}
      />
      <Button type="submit">Show this range</Button>
    </form>
  );
}

/** RFC 3339 to what `datetime-local` takes: local time to the second. */
function local(text: string): string {
  const date = new Date(text);
  const shifted = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 19);
}
