import { Button, Group, Modal } from "@mantine/core";

/** Asks once before unsaved changes are lost. */
export function Leaving({ open, onStay, onLeave }: { readonly open: boolean; readonly onStay: () => void; readonly onLeave: () => void }) {
  return (
    <Modal opened={open} onClose={onStay} title="Leave without saving?" withCloseButton={false}>
      <p style={{ marginTop: 0 }}>The changes to the parameters were not saved and would be lost.</p>
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onLeave}>
          Leave, lose them
        </Button>
        <Button data-autofocus onClick={onStay}>
          Stay
        </Button>
      </Group>
    </Modal>
  );
}
