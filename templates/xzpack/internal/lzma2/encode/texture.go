package encode

const (
	// textureStep is how far the bytes lie apart that are looked at: it shares no factor with the usual sizes of records
	// and instructions, so that all of their bytes get their turn.
	textureStep = 7
	// textShare: of a text more than so many quarters of the bytes that are not zeros are printable. Of archives of sources
	// 0.8 or more are, of programs and libraries 0.4 to 0.7.
	textShare = 3
)

// isText says whether a human being could read most of the n bytes of text, with zeros left aside: they stand between the
// files of archives and images. In such a text matches of five bytes save next to nothing that those of six do not.
func isText(text []byte, n uint32) bool {
	printable, others := 0, 0
	for i := uint32(0); i < n; i += textureStep {
		switch b := text[i]; {
		case b == 0:
		case b >= ' ' && b <= '~' || b == '\n' || b == '\t':
			printable++
		default:
			others++
		}
	}
	return 4*printable > textShare*(printable+others)
}
