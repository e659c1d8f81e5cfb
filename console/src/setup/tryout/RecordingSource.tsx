// A recording that the reader has: chosen or dropped, kept in memory only.

import { Button, FileButton, Progress } from "@mantine/core";
import { IconFileUpload } from "@tabler/icons-react";
import { useRef } from "react";
import { bytes } from "../../ui/format";
import { visible } from "../../ui/visible";
import styles from "./TryOut.module.css";
import { longestRecording, type UsedRecording } from "./useRecording";

export function RecordingSource({ file }: { readonly file: UsedRecording }) {
  const { recording, reading, give, stop, forget } = file;
  const reset = useRef<() => void>(null);
  const choose = (label: string) => (
    <FileButton
      resetRef={reset}
      accept=".har,application/json,.json"
      inputProps={{ "aria-label": "Recording" }}
      onChange={(chosen) => {
        if (chosen !== null) {
          give([chosen]);
          // The same file may be chosen again after it was written anew.
          reset.current?.();
        }
      }}
    >
      {(props) => (
        <Button {...props} variant="default" leftSection={<IconFileUpload size={14} aria-hidden />}>
          {label}
        </Button>
      )}
    </FileButton>
  );
  return (
    <div className={styles.drop}>
      {reading.state === "reading" ? (
        <div className={styles.reading} role="status">
          <span>
            Reading <bdi>{visible(reading.name)}</bdi>, {Math.floor(reading.part * 100)}%
          </span>
          <Progress value={reading.part * 100} size={3} aria-label="Read so far" />
          <Button variant="default" onClick={stop}>
            Stop
          </Button>
        </div>
      ) : recording === undefined ? (
        <>
          <span>
            Drop a HAR file here, as browsers and proxies save it, or {choose("Choose a file")}
          </span>
          <span className={styles.quiet}>
            Up to {bytes(longestRecording)} and its first 20,000 exchanges. It stays in memory, here and while it is tried; nothing of it is
            stored.
          </span>
        </>
      ) : (
        <span className={styles.given}>
          <span>
            <b>
              <bdi>{visible(recording.name)}</bdi>
            </b>
            , {bytes(recording.size)}, in memory only
          </span>
          {choose("Another file")}
          <Button variant="subtle" color="gray" onClick={forget}>
            Forget it
          </Button>
        </span>
      )}
      {reading.state === "refused" ? (
        <p className={styles.refused} role="alert">
          {reading.name === "" ? "Not read" : <bdi>{visible(reading.name)}</bdi>}: {reading.reason}
        </p>
      ) : null}
    </div>
  );
}
