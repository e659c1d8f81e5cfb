// The ladder read as a sentence.

import { Fragment } from "react";
import { Captured } from "../ui/Captured";
import type { ParameterDraft } from "./draft";
import { readSteps } from "./point/steps";
import styles from "./Setup.module.css";

export function Sentence({ parameters }: { readonly parameters: readonly ParameterDraft[] }) {
  const keys = parameters.filter((parameter) => parameter.group);
  if (keys.length === 0) {
    return (
      <p className={styles.sentence}>
        No key of your own yet: the <b>built-in set</b> groups all sessions.
      </p>
    );
  }
  return (
    <p className={styles.sentence}>
      Try{" "}
      {keys.map((key, position) => (
        <Fragment key={key.key}>
          {position === 0 ? "" : ", then "}
          <b>
            <Captured text={key.name === "" ? "the new key" : key.name} />
          </b>
          {sideOf(key)}
        </Fragment>
      ))}
      ; else the <b>built-in set</b>. The first that works decides, and equal values are one session.
    </p>
  );
}

/** `in the response`: what a reader wants to know first about a point. */
function sideOf({ point }: ParameterDraft): string {
  const [side, place] = readSteps(point) ?? [];
  if (side === undefined) {
    return "";
  }
  return ` in the ${side.word.toLowerCase()}${place === undefined ? "" : `’s ${place.word.toLowerCase()}`}`;
}
