// A draft of the policy tried out on traffic before it is saved: which traffic, and what came of it.

import { Button, Progress, SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type DragEvent, useEffect, useRef, useState } from "react";
import { asProblem } from "../../api/problem";
import { me } from "../../api/queries";
import { bytes } from "../../ui/format";
import { ProblemNote } from "../../ui/ProblemNote";
import { visible } from "../../ui/visible";
import { outdated, type Policy } from "./compare";
import { RecentSource } from "./RecentSource";
import { RecordingSource } from "./RecordingSource";
import { Result } from "./Result";
import styles from "./TryOut.module.css";
import { useRecording } from "./useRecording";
import { nameOf, type Source, textOf, useKept, useTrying } from "./useTrying";

export interface TryOutProps {
  /** The draft, in the API's form. */
  readonly policy: Policy;
  /** The version that holds. */
  readonly against: number;
}

export function TryOut(props: TryOutProps) {
  const person = useQuery(me).data;
  if (person !== undefined && person.role !== "admin") {
    return <p className={styles.quiet}>Only administrators try a draft out: it is tried on messages as they were sent.</p>;
  }
  return <Trial {...props} />;
}

function Trial({ policy, against }: TryOutProps) {
  const [place, setPlace] = useKept<Source["kind"]>("source", "recent");
  const [kept, setKept] = useState<number | undefined>();
  const file = useRecording();
  const { run, answered, start, cancel } = useTrying();
  const { recording } = file;
  const source: Source | undefined = place === "recent" ? { kind: "recent" } : recording === undefined ? undefined : { kind: "har", recording };
  const running = run.state === "running";
  const ready = source !== undefined && !running && (place === "har" || (kept ?? 0) > 0);
  const drop = useDrop((files) => {
    setPlace("har");
    file.give(files);
  });
  const go = (): void => {
    if (ready) {
      start(policy, source);
    }
  };
  useControlEnter(go);
  // While no recording is given yet, no other traffic is chosen.
  const stale = answered === undefined ? undefined : outdated(answered.asked, { draft: textOf(policy), against, source: source === undefined ? answered.asked.source : nameOf(source) });
  return (
    <section className={styles.panel} aria-labelledby="try-out" data-over={drop.over || undefined} {...drop.handlers}>
      <header className={styles.head}>
        <div>
          <h2 id="try-out">Try out</h2>
          <p className={styles.quiet}>
            What the draft makes of traffic, beside version {against}. Nothing is saved; each try is in the audit log.
          </p>
        </div>
      </header>
      <div className={styles.sources}>
        <div className={styles.choice}>
          <SegmentedControl
            aria-label="Traffic to try it on"
            value={place}
            onChange={(next) => {
              setPlace(next === "har" ? "har" : "recent");
            }}
            data={[
              { value: "recent", label: "Recent exchanges" },
              { value: "har", label: "A recording" },
            ]}
          />
          <span className={styles.go}>
            {running ? (
              <Button variant="default" onClick={cancel}>
                Cancel
              </Button>
            ) : ready ? (
              <>
                <span className={styles.key} aria-hidden="true">
                  Ctrl Enter
                </span>
                <Button onClick={go}>{place === "recent" ? "Try on recent traffic" : "Try on this recording"}</Button>
              </>
            ) : null}
          </span>
        </div>
        {place === "recent" ? <RecentSource onKept={setKept} /> : <RecordingSource file={file} />}
        <div className={styles.progress} role="status">
          {running ? (
            <>
              <Progress value={100} animated size={3} aria-hidden />
              <span>
                {run.source.kind === "recent"
                  ? "Trying both policies on what the nodes hold…"
                  : `Sending ${bytes(run.source.recording.size)} and trying both policies on it…`}
              </span>
            </>
          ) : null}
        </div>
      </div>
      {run.state === "failed" ? (
        <div className={styles.failed}>
          <Failed
            error={run.error}
            kept={answered === undefined ? undefined : "What is below is of an earlier run."}
            onRetry={ready ? go : undefined}
            file={run.source.kind === "har" ? run.source.recording.name : undefined}
          />
        </div>
      ) : null}
      {answered === undefined ? null : <Result answered={answered} stale={running ? "" : stale} />}
      {drop.over ? (
        <div className={styles.over} aria-hidden="true">
          Drop the recording to try the draft on it
        </div>
      ) : null}
    </section>
  );
}

interface FailedProps {
  readonly error: unknown;
  readonly kept: string | undefined;
  readonly file: string | undefined;
  readonly onRetry: (() => void) | undefined;
}

function Failed({ error, kept, file, onRetry }: FailedProps) {
  const problem = asProblem(error);
  if (problem.status === 503) {
    // Nobody's fault: somebody else tries a policy out, or it took too long.
    return (
      <div className={styles.busy} role="alert">
        <span>
          {problem.message} {kept}
        </span>
        <Button variant="default" onClick={onRetry} disabled={onRetry === undefined}>
          Try again
        </Button>
      </div>
    );
  }
  const what = file === undefined ? "The draft was not tried out" : `The draft was not tried out on ${visible(file)}`;
  return <ProblemNote what={what} error={error} kept={kept} onRetry={problem.status === 422 ? undefined : onRetry} />;
}

/** Ctrl Enter anywhere on the page, unless something nearer took it. */
function useControlEnter(act: () => void): void {
  const latest = useRef(act);
  useEffect(() => {
    latest.current = act;
  });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      const inDialog = event.target instanceof Element && event.target.closest("[role=dialog]") !== null;
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.repeat && !event.defaultPrevented && !inDialog) {
        event.preventDefault();
        latest.current();
      }
    };
    window.addEventListener("keydown", onKeyDown);
    return () => {
      window.removeEventListener("keydown", onKeyDown);
    };
  }, []);
}

/** The whole panel takes files. One that misses it must not replace the page, and the draft with it. */
function useDrop(onFiles: (files: readonly File[]) => void) {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const keep = (event: globalThis.DragEvent): void => {
      if (event.dataTransfer?.types.includes("Files") === true) {
        event.preventDefault();
      }
    };
    window.addEventListener("dragover", keep);
    window.addEventListener("drop", keep);
    return () => {
      window.removeEventListener("dragover", keep);
      window.removeEventListener("drop", keep);
    };
  }, []);
  const bringsFiles = (event: DragEvent): boolean => event.dataTransfer.types.includes("Files");
  return {
    over,
    handlers: {
      onDragEnter: (event: DragEvent): void => {
        setOver(bringsFiles(event));
      },
      onDragOver: (event: DragEvent): void => {
        if (bringsFiles(event)) {
          event.preventDefault();
          event.dataTransfer.dropEffect = "copy";
        }
      },
      onDragLeave: (event: DragEvent): void => {
        // Going from one child to the next is no leaving.
        if (!(event.relatedTarget instanceof Node) || !event.currentTarget.contains(event.relatedTarget)) {
          setOver(false);
        }
      },
      onDrop: (event: DragEvent): void => {
        setOver(false);
        if (bringsFiles(event)) {
          event.preventDefault();
          onFiles([...event.dataTransfer.files]);
        }
      },
    },
  };
}
