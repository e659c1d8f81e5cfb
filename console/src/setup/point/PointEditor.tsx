// The point where it is edited: step by step or as text, which are always the same, with the hub's verdict. The
// message that it can be chosen from opens beside it.

import { useQuery } from "@tanstack/react-query";
import { IconTarget } from "@tabler/icons-react";
import { lazy, Suspense, useEffect, useId, useMemo, useRef, useState } from "react";
import { me } from "../../api/queries";
import type { PointFieldProps } from "../PointField";
import { PointInput } from "./PointInput";
import { readPoints } from "./listed";
import styles from "./Point.module.css";
import { listPoints, useMessage } from "./questions";
import { useVerdict } from "./useVerdict";

const Workbench = lazy(() => import("./Workbench").then((loaded) => ({ default: loaded.Workbench })));

export function PointEditor({ label = "Point", description: what = "Where the value stands, step by step", value, error, onChange }: PointFieldProps) {
  const [asText, setAsText] = useState(false);
  const [open, setOpen] = useState(false);
  const [typing, setTyping] = useState(false);
  const description = useId();
  const mayLook = useQuery(me).data?.role === "admin";
  const [message] = useMessage();
  const { data: listed } = useQuery({ ...listPoints(message), enabled: mayLook });
  const points = useMemo(() => readPoints(listed?.points ?? []), [listed]);
  const verdict = useVerdict(value, asText ? 250 : 0);

  // The hub's spelling takes the place of what was written, once it is known and nobody types in it.
  const changed = useRef(false);
  const { spellings, current } = verdict;
  useEffect(() => {
    if (changed.current && current && !(asText && typing) && spellings !== null && spellings !== undefined) {
      changed.current = false;
      if (spellings.point !== value) {
        onChange(spellings.point);
      }
    }
  }, [spellings, current, asText, typing, value, onChange]);
  const change = (next: string): void => {
    changed.current = true;
    onChange(next);
  };
  return (
    <div>
      <div className={styles.head}>
        <span className={styles.label}>{label}</span>
        <span className={styles.description} id={description}>
          {what}
        </span>
      </div>
      <PointInput
        label={label}
        describedBy={description}
        value={value}
        error={error}
        verdict={verdict}
        points={points}
        asText={asText}
        onAsText={setAsText}
        onTyping={setTyping}
        onChange={change}
        extra={
          mayLook ? (
            <button
              type="button"
              className={styles.action}
              aria-haspopup="dialog"
              onClick={() => {
                setOpen(true);
              }}
            >
              <IconTarget size={14} stroke={1.8} aria-hidden /> Choose from a message
            </button>
          ) : null
        }
      />
      {open ? (
        <Suspense fallback={null}>
          <Workbench
            value={value}
            onChange={change}
            onClose={() => {
              setOpen(false);
            }}
          />
        </Suspense>
      ) : null}
    </div>
  );
}
