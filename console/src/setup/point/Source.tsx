// Where the message comes from: a sample that is written or pasted, or an exchange that a node saw recently.

import { SegmentedControl } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { Captured } from "../../ui/Captured";
import styles from "./Point.module.css";
import type { Message } from "./questions";
import { Recent } from "./Recent";
import { SampleEditor } from "./SampleEditor";

export interface SourceProps {
  readonly message: Message;
  /** What the hub says about the message. */
  readonly error: unknown;
  readonly onMessage: (message: Message) => void;
  /** The message itself. */
  readonly children: ReactNode;
}

type Place = "sample" | "recent";

export function Source({ message, error, onMessage, children }: SourceProps) {
  const [place, setPlace] = useState<Place>(message.kind === "recent" ? "recent" : "sample");
  const [changing, setChanging] = useState(false);
  // Choosing where from shows what there is; the message stays the one that was chosen until another one is.
  const elsewhere = (place === "recent") !== (message.kind === "recent");
  const open = changing || elsewhere;
  return (
    <>
      <div className={styles.source}>
        <SegmentedControl
          aria-label="Where the message comes from"
          value={place}
          onChange={(next) => {
            setPlace(next === "recent" ? "recent" : "sample");
            setChanging(false);
          }}
          data={[
            { value: "sample", label: "A sample" },
            { value: "recent", label: "A recent exchange" },
          ]}
        />
        {open ? null : (
          <span className={styles.from}>
            {message.kind === "recent" ? (
              <Captured text={message.title} mono />
            ) : message.kind === "har" ? (
              "pasted from a HAR file"
            ) : message.key === "usual" ? (
              "a made-up sign-in"
            ) : (
              "as you wrote it"
            )}
          </span>
        )}
        {elsewhere ? null : (
          <button
            type="button"
            className={styles.action}
            aria-expanded={open}
            onClick={() => {
              setChanging(!changing);
            }}
          >
            {open ? "Back to the message" : place === "recent" ? "Another one" : "Edit the sample"}
          </button>
        )}
      </div>
      {!open ? (
        children
      ) : place === "recent" ? (
        <Recent
          chosen={message.kind === "recent" ? message.id : undefined}
          onChoose={(id, title) => {
            setChanging(false);
            onMessage({ kind: "recent", key: id, id, title });
          }}
        />
      ) : (
        <SampleEditor
          message={message}
          error={message.kind === "recent" ? null : error}
          onMessage={onMessage}
          onShow={() => {
            setChanging(false);
          }}
        />
      )}
    </>
  );
}
