import { Button, Group, Modal } from "@mantine/core";
import type { ReactNode } from "react";

export interface AskOnceProps {
  readonly open: boolean;
  readonly title: string;
  /** What would happen, in numbers where there are any. */
  readonly children: ReactNode;
  /** What keeps everything as it is; it has the focus. */
  readonly keep: string;
  readonly act: string;
  readonly acting: boolean;
  readonly onKeep: () => void;
  readonly onAct: () => void;
}

/** Asks once before something is lost. */
export function AskOnce({ open, title, children, keep, act, acting, onKeep, onAct }: AskOnceProps) {
  return (
    <Modal opened={open} onClose={onKeep} title={title} withCloseButton={false}>
      <div style={{ marginTop: "-0.75rem" }}>{children}</div>
      <Group justify="flex-end" gap="xs">
        <Button variant="default" data-autofocus onClick={onKeep}>
          {keep}
        </Button>
        <Button color="red.9" loading={acting} onClick={onAct}>
          {act}
        </Button>
      </Group>
    </Modal>
  );
}
