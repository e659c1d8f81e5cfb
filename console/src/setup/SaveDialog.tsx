// Before a draft becomes a version: what it changes, what to know about it, and a word for those who come after.

import { Button, Group, Modal, Textarea } from "@mantine/core";
import type { TaggedPolicy } from "../api/policy";
import { asProblem } from "../api/problem";
import type { PolicyAnswer, PolicyCheck } from "../api/types";
import { plural } from "../ui/format";
import { ProblemNote } from "../ui/ProblemNote";
import { Conflict } from "./Conflict";
import { Sentences } from "./Sentences";
import styles from "./Setup.module.css";

export interface SaveDialogProps {
  readonly open: boolean;
  readonly base: PolicyAnswer;
  readonly check: PolicyCheck | undefined;
  readonly comment: string;
  readonly onComment: (comment: string) => void;
  readonly saving: boolean;
  readonly error: unknown;
  readonly onSave: () => void;
  readonly onClose: () => void;
  /** Somebody else saved: take theirs, or bring theirs into mine. */
  readonly onTheirs: (now: TaggedPolicy) => void;
  readonly onMerge: (now: TaggedPolicy) => void;
}

export function SaveDialog(props: SaveDialogProps) {
  const { open, base, check, error, onClose } = props;
  const problem = error === null ? undefined : asProblem(error);
  const conflict = problem?.status === 412;
  const next = base.version + 1;
  return (
    <Modal opened={open} onClose={onClose} size="lg" title={conflict ? "Somebody else saved meanwhile" : `Save as version ${next}`}>
      {conflict ? (
        <Conflict base={base.version} onTheirs={props.onTheirs} onMerge={props.onMerge} />
      ) : (
        <form
          className={styles.dialog}
          onSubmit={(event) => {
            event.preventDefault();
            props.onSave();
          }}
        >
          {problem === undefined ? null : <ProblemNote what="The policy was not saved" error={problem} />}
          {check === undefined ? (
            <p className={styles.lead}>Comparing with version {base.version} …</p>
          ) : (
            <>
              <p className={styles.lead}>
                {check.changes.length === 0
                  ? `Nothing differs from version ${base.version}.`
                  : `${plural(check.changes.length, "change")} against version ${base.version}. They hold for new traffic at once; what is stored stays as it was.`}
              </p>
              <Sentences label="Changes" sentences={check.changes} />
              {check.warnings.length === 0 ? null : (
                <div className={styles.warning}>
                  <b>Is this meant?</b>
                  <Sentences label="Warnings" sentences={check.warnings.map(({ reason }) => reason)} />
                </div>
              )}
            </>
          )}
          <Textarea
            label="What is this change about?"
            description="Stands in the history of versions and in the audit log"
            maxLength={500}
            autosize
            minRows={2}
            data-autofocus
            value={props.comment}
            onChange={(event) => {
              props.onComment(event.currentTarget.value);
            }}
            onKeyDown={(event) => {
              if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
                event.preventDefault();
                props.onSave();
              }
            }}
          />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" size="sm" onClick={onClose}>
              Keep editing
            </Button>
            <Button type="submit" size="sm" loading={props.saving} disabled={check === undefined || check.changes.length === 0}>
              Save as version {next}
            </Button>
          </Group>
        </form>
      )}
    </Modal>
  );
}
