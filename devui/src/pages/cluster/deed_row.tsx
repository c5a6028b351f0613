import type { ComponentChildren } from 'preact';
import { CopyDeed, DeedButton, type DeedButtonProps } from '../../ui/deed';

// The button between what is chosen before it and what else can be done, and the command at the end.
export const DeedLine = ({ field, beside, ...button }: DeedButtonProps & { field?: ComponentChildren; beside?: ComponentChildren }) => (
  <div class="cl-deed-do">
    {field}
    <DeedButton {...button} />
    {beside}
    <span class="spacer" />
    <CopyDeed deed={button.deed} />
  </div>
);

// What can be done, and what comes of it.
export const DeedRow = ({ text, ...line }: DeedButtonProps & { text: ComponentChildren; field?: ComponentChildren }) => (
  <li class="cl-deed">
    <p>{text}</p>
    <DeedLine {...line} />
  </li>
);
