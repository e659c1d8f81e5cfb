import { IconLock } from "@tabler/icons-react";
import styles from "./Privacy.module.css";

/** In which form a field leaves; hashed ones with the lock that hashes have everywhere. */
export function FormBadge({ form }: { readonly form: string }) {
  return (
    <span className={styles.form} data-form={form}>
      {form === "hashed" ? <IconLock size={11} aria-hidden /> : null}
      {form}
    </span>
  );
}
