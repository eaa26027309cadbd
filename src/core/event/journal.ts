/** What journals say about journals. */
export interface JournalDetails {
  /** A journal began beside the instance's own, which so knows all of them: none can go missing as a whole. */
  'journal.opened': { journal: string }
  /** Where the other journals stood: none of them can be cut back without this one. */
  'journal.witnessed': { heads: readonly { journal: string; size: number; root: string }[] }
  /**
   * The events of whole months were written to files, one for each month, and their bodies may have left the database since.
   * `digest`: SHA-256 of the file, hex. It changes no table, and is never archived itself.
   */
  'journal.archived': { before: string; files: readonly ArchivedFile[] }
}

export interface ArchivedFile {
  /** `2026-07`, in UTC. */
  readonly month: string
  readonly events: number
  readonly digest: string
}
