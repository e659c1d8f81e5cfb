// The point on one side, a message on the other: what the point selects is marked in the message, and a click into the
// message chooses the point of what was clicked.

import { Button, Modal } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { ProblemNote } from "../../ui/ProblemNote";
import { readPoints } from "./listed";
import { MessageView } from "./MessageView";
import { Outcome } from "./Outcome";
import { readSides } from "./placed";
import styles from "./Point.module.css";
import { PointInput } from "./PointInput";
import { PointList } from "./PointList";
import { listPoints, previewPoint, recentMessages, useMessage } from "./questions";
import { Source } from "./Source";
import { readSteps, spell, splice } from "./steps";
import { useVerdict } from "./useVerdict";

export interface WorkbenchProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly onClose: () => void;
}

export function Workbench({ value, onChange, onClose }: WorkbenchProps) {
  const narrow = useMediaQuery("(max-width: 62em)");
  return (
    <Modal
      opened
      onClose={onClose}
      title="Choose from a message"
      size="min(1280px, 96vw)"
      fullScreen={narrow}
      classNames={{ content: styles.bench ?? "", body: styles.benchBody ?? "", header: styles.benchHead ?? "" }}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Bench value={value} onChange={onChange} onClose={onClose} />
    </Modal>
  );
}

function Bench({ value, onChange, onClose }: WorkbenchProps) {
  const [message, setMessage] = useMessage();
  const [asText, setAsText] = useState(false);
  const verdict = useVerdict(value, asText ? 250 : 0);
  const list = useQuery(listPoints(message));
  const recent = useQuery(recentMessages(message));
  const points = useMemo(() => readPoints(list.data?.points ?? []), [list.data]);
  const messages = message.kind === "recent" ? recent.data : list.data?.messages;
  const sides = useMemo(() => (messages === null || messages === undefined ? undefined : readSides(messages)), [messages]);

  const point = verdict.spellings?.point;
  const preview = useQuery({
    ...previewPoint(message, point ?? ""),
    enabled: point !== undefined && list.data !== undefined,
    placeholderData: keepPreviousData,
  });
  const shown = point === undefined || sides === undefined ? undefined : preview.data;
  const current = shown !== undefined && !preview.isPlaceholderData && verdict.current;
  const steps = readSteps(value) ?? [];
  const problem = list.error ?? recent.error;
  return (
    <div className={styles.panes}>
      <section className={styles.left} aria-label="What the point finds">
        <PointInput
          label="Point"
          value={value}
          error={undefined}
          verdict={verdict}
          points={points}
          stopped={current ? (shown.stop?.step ?? undefined) : undefined}
          asText={asText}
          onAsText={setAsText}
          onChange={onChange}
        />
        <Outcome
          preview={shown}
          stale={!current}
          error={preview.error}
          steps={steps}
          onName={(at, name) => {
            const stopped = steps[at];
            if (stopped !== undefined) {
              // A name that leads to more names goes on; one that is not there is replaced.
              const text = spell([{ word: stopped.word, argument: name }]);
              onChange(shown?.found === "not_scalar" ? splice(steps, at + 1, at + 1, text) : splice(steps, at, at + 1, text));
            }
          }}
        />
        <PointList points={points} truncated={list.data?.truncated ?? false} chosen={point} loading={list.isPending} onChoose={onChange} />
        <div className={styles.end}>
          <Button onClick={onClose}>Done</Button>
        </div>
      </section>
      <section className={styles.right} aria-label="Message">
        <Source
          message={message}
          error={list.error}
          onMessage={setMessage}
        >
          {problem !== null && problem !== undefined && (message.kind === "recent" || sides === undefined) ? (
            <ProblemNote
              what="The message could not be shown"
              error={problem}
              onRetry={() => {
                void list.refetch();
                void (message.kind === "recent" ? recent.refetch() : undefined);
              }}
            />
          ) : (
            <MessageView sides={sides} points={points} selections={shown?.selections ?? noSelections} chosen={point} stale={!current} onChoose={onChange} />
          )}
        </Source>
      </section>
    </div>
  );
}

const noSelections: readonly never[] = [];
