// Chapters: the host has them as bytecode, and gives them as functions of the guest.
({ host, guest }) => {
  const open = { __proto__: null };

  return {
    /** What a chapter gives, which is a file of chapters/; it comes when it is first wanted. */
    use: (chapter) => {
      open[chapter] ??= host(`B${chapter}`)(guest);
      return open[chapter];
    },
  };
};
