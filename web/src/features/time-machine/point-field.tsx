import { type SyntheticEvent, useState } from "react";
import { Button } from "../../components/ui/button.tsx";
import { Field } from "../../components/ui/field.tsx";
import { Input } from "../../components/ui/input.tsx";
import { parsePoint } from "./logic/point.ts";

export interface PointFieldProps {
  label: string;
  placeholder: string;
  action: string;
  onPoint: (point: string) => void;
}

/** A commit's number or a time, typed. */
export function PointField({ label, placeholder, action, onPoint }: PointFieldProps) {
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState(false);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const point = parsePoint(text);
    setWrong(point === undefined);
    if (point === undefined) return;
    setText("");
    onPoint(point);
  };
  return (
    <form onSubmit={submit} className="flex items-start gap-1.5">
      <Field label={label} hideLabel error={wrong ? "A commit’s number, or a time such as 2026-11-23 20:15, 18:30 or 2 hours ago." : undefined}>
        {(control) => (
          <Input
            {...control}
            className="w-52"
            placeholder={placeholder}
            value={text}
            spellCheck={false}
            onChange={(event) => {
              setText(event.target.value);
              setWrong(false);
            }}
          />
        )}
      </Field>
      <Button type="submit" disabled={text.trim() === ""}>
        {action}
      </Button>
    </form>
  );
}
