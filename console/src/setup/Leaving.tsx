import { AskOnce } from "../ui/AskOnce";

/** Asks once before unsaved changes are lost. */
export function Leaving({ open, onStay, onLeave }: { readonly open: boolean; readonly onStay: () => void; readonly onLeave: () => void }) {
  return (
    <AskOnce open={open} title="Leave without saving?" keep="Stay" act="Leave, lose them" acting={false} onKeep={onStay} onAct={onLeave}>
      <p>The changes to the parameters were not saved and would be lost.</p>
    </AskOnce>
  );
}
