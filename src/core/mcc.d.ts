declare module 'mcc' {
  const table: {
    all: readonly {
      mcc: string
      edited_description: string
      combined_description: string
      usda_description: string
      irs_description: string
    }[]
  }
  export default table
}
