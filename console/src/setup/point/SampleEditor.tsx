// A sample as text: messages as HTTP/1.1 writes them, or an entry of a HAR file. The hub reads it; nothing is kept.

import { Button, SegmentedControl, Textarea } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { asProblem } from "../../api/problem";
import styles from "./Point.module.css";
import { listPoints, type Message } from "./questions";
import { usualRequest, usualResponse } from "./sample";

export interface SampleEditorProps {
  readonly message: Message;
  readonly error: unknown;
  readonly onMessage: (message: Message) => void;
  /** The sample could be read. */
  readonly onShow: () => void;
}

export function SampleEditor({ message, error, onMessage, onShow }: SampleEditorProps) {
  const queries = useQueryClient();
  const [archive, setArchive] = useState(message.kind === "har");
  const [request, setRequest] = useState(message.kind === "sample" ? message.request : usualRequest);
  const [response, setResponse] = useState(message.kind === "sample" ? message.response : usualResponse);
  const [text, setText] = useState(message.kind === "har" ? message.text : "");
  const [refused, setRefused] = useState<unknown>(error);
  const [reading, setReading] = useState(false);
  const errors = refused === null || refused === undefined ? [] : asProblem(refused).errors;
  const reason = (field: string): string | undefined => errors.find((one) => one.field === field)?.reason;
  const elsewhere = refused !== null && refused !== undefined && !errors.some(({ field }) => field.startsWith("sample."));

  const show = (): void => {
    const key = crypto.randomUUID();
    const next: Message = archive ? { kind: "har", key, text } : { kind: "sample", key, request, response };
    setReading(true);
    setRefused(null);
    // What cannot be read takes no other message's place.
    queries.fetchQuery(listPoints(next)).then(
      () => {
        onMessage(next);
        onShow();
      },
      (fault: unknown) => {
        setReading(false);
        setRefused(fault);
      },
    );
  };
  const area = (label: string, description: string, value: string, field: string, change: (value: string) => void) => (
    <Textarea
      label={label}
      description={description}
      spellCheck={false}
      autoComplete="off"
      classNames={{ root: styles.area ?? "", wrapper: styles.areaWrapper ?? "", input: styles.areaInput ?? "" }}
      value={value}
      error={reason(field) ?? reason("sample")}
      onChange={(event) => {
        change(event.currentTarget.value);
      }}
      onKeyDown={(event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
          event.preventDefault();
          show();
        }
      }}
    />
  );
  return (
    <div className={styles.sample}>
      <SegmentedControl
        aria-label="How the sample is written"
        className={styles.how ?? ""}
        value={archive ? "har" : "http"}
        onChange={(how) => {
          setArchive(how === "har");
          setRefused(null);
        }}
        data={[
          { value: "http", label: "As HTTP/1.1" },
          { value: "har", label: "HAR entry" },
        ]}
      />
      {archive ? (
        area("HAR entry", "An element of log.entries, or a whole file: its first entry is taken", text, "sample.har_entry", setText)
      ) : (
        <>
          {area("Request", "Request line, headers, an empty line, body", request, "sample.request", setRequest)}
          {area("Response", "Status line, headers, an empty line, body; may be empty", response, "sample.response", setResponse)}
        </>
      )}
      {elsewhere ? <p className={styles.wrong}>{asProblem(refused).message}</p> : null}
      <div className={styles.end}>
        <span className={styles.quiet}>Samples are not kept.</span>
        <Button
          variant="default"
          onClick={() => {
            setArchive(false);
            setRequest(usualRequest);
            setResponse(usualResponse);
            setRefused(null);
          }}
        >
          Made-up sign-in
        </Button>
        <Button variant="light" loading={reading} title="Ctrl Enter" onClick={show}>
          Use this sample
        </Button>
      </div>
    </div>
  );
}
