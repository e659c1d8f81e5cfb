// A recording that somebody gives: read into memory, nowhere else. Whether it is an HTTP Archive is the hub's to say.

import { useCallback, useEffect, useRef, useState } from "react";
import { bytes } from "../../ui/format";
import { useKept } from "./useTrying";

/** The longest archive that the API takes; a longer file is not even read. */
export const longestRecording = 16 * 1024 * 1024;

export interface Recording {
  readonly key: string;
  readonly name: string;
  readonly size: number;
  readonly text: string;
}

export type Reading =
  | { readonly state: "idle" }
  | { readonly state: "reading"; readonly name: string; readonly part: number }
  | { readonly state: "refused"; readonly name: string; readonly reason: string };

/** Why files are not even read; undefined when they can be. */
export function refusal(files: readonly Pick<File, "size">[]): string | undefined {
  const [file] = files;
  if (file === undefined) {
    return "That was no file.";
  }
  if (files.length > 1) {
    return `Those were ${files.length} files: give one at a time.`;
  }
  if (file.size === 0) {
    return "It is empty.";
  }
  return file.size > longestRecording ? `It has ${bytes(file.size)}; at most ${bytes(longestRecording)} can be tried.` : undefined;
}

export interface UsedRecording {
  readonly recording: Recording | undefined;
  readonly reading: Reading;
  readonly give: (files: readonly File[]) => void;
  readonly stop: () => void;
  readonly forget: () => void;
}

export function useRecording(): UsedRecording {
  const [recording, setRecording] = useKept<Recording | null>("recording", null);
  const [reading, setReading] = useState<Reading>({ state: "idle" });
  const reader = useRef<FileReader | undefined>(undefined);
  const stop = useCallback((): void => {
    const former = reader.current;
    reader.current = undefined;
    former?.abort();
    setReading({ state: "idle" });
  }, []);
  useEffect(() => stop, [stop]);
  const give = (files: readonly File[]): void => {
    stop();
    const [file] = files;
    const reason = refusal(files);
    if (reason !== undefined || file === undefined) {
      setReading({ state: "refused", name: file?.name ?? "", reason: reason ?? "" });
      return;
    }
    const { name, size } = file;
    const mine = new FileReader();
    reader.current = mine;
    setReading({ state: "reading", name, part: 0 });
    mine.addEventListener("progress", ({ loaded, total }) => {
      if (reader.current === mine && total > 0) {
        setReading({ state: "reading", name, part: loaded / total });
      }
    });
    mine.addEventListener("error", () => {
      if (reader.current === mine) {
        setReading({ state: "refused", name, reason: "The browser could not read it. Is it a folder, or gone?" });
      }
    });
    mine.addEventListener("load", () => {
      if (reader.current === mine && typeof mine.result === "string") {
        setRecording({ key: crypto.randomUUID(), name, size, text: mine.result });
        setReading({ state: "idle" });
      }
    });
    mine.readAsText(file);
  };
  return {
    recording: recording ?? undefined,
    reading,
    give,
    stop,
    forget: () => {
      stop();
      setRecording(null);
    },
  };
}
