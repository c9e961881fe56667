package metric

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// A tokenRule is a pattern of the caption tokenizer. At each place all rules are
// tried, and the one whose pattern and what must be ahead is longest makes the
// token.
type tokenRule struct {
	pattern string              // of the token
	ahead   string              // must follow, and is read again
	back    int                 // bytes at the end of the pattern that are read again
	token   func(string) string // what the token becomes, "" for none; nil: as it stands
}

// tokenRules in the order in which equally long matches win. Names in braces stand
// for patterns of tokenNames and for classes of tokenclasses.json, which belong
// inside brackets and list characters as the official tokenizer knew them.
var tokenRules = []tokenRule{
	// Words that are never what they seem.
	{pattern: `[cC]\+\+|[cCfF]#`},
	{pattern: fold("cannot"), back: 3, token: cut(3)},
	{pattern: `'` + fold("twas"), back: 3, token: cut(3)},
	{pattern: `'` + fold("tis"), back: 2, token: cut(2)},
	{pattern: fold("gonna gotta lemme gimme wanna"), back: 2, token: cut(2)},

	// Markup and entities.
	{pattern: `{tag}`, token: solid},
	{pattern: `&(?:MD|mdash|ndash);|[\x{2013}-\x{2015}\x{96}\x{97}]`, token: always("--")},
	{pattern: fold("&amp;"), token: always("&")},
	{pattern: `&(?:HT|TL|UR|LR|QC|QL|QR|odq|cdq|#[0-9]+);`},

	// Words.
	{pattern: `{word}`, ahead: `{clitic}`, token: soft},
	{pattern: `[A-Za-z\x{AD}]*[A-MO-Za-mo-z]\x{AD}*`, ahead: `{nt}`, token: soft},
	{pattern: `{word}`, token: soft},
	{pattern: `{ap}[nN]{ap}?|[lLdDjJ]{ap}|` + fold("dunkin somethin ol") + `{ap}|{ap}` + fold("em") + `|[A-HJ-XZn]{ap2}[{letter}]{2,}|{ap}[2-9]0[sS]` +
		`|{ap}` + fold("til till cause") + `|[A-Za-z]+[aeiouyAEIOUY]{ap2}[aeiouA-Z][A-Za-z]*|` + fold("cont") + `{ap}[dD]\.?|` +
		fold("'twas nor'easter c'mon e'er s'mores ev'ry li'l nat'l") + `|[oO]{ap}[oO]`},
	{pattern: `[yY]{ap}`, ahead: `[{letter}]`},

	// Addresses.
	{pattern: fold("http https") + `://[^{out}(){}]+[^{out}(){}.!?,\-]`},
	{pattern: `www\.(?:[^{out}.!?(){},]+\.)+[A-Za-z]{2,4}{path}?`},
	{pattern: "(?:[^{out}.!?(){}`'$,-_]+\\.)+(?:com|net|org|edu){path}?"},
	{pattern: `(?:<|&lt;)?[A-Za-z0-9][^{out}(){}\x{A0}]*@(?:[^{out}(){}\x{A0}.]+\.)*[^{out}(){}\x{A0}.]+(?:>|&gt;)?`},
	{pattern: `@[A-Za-z_][A-Za-z_0-9]*|#{wletter}+`},

	// Clitics and numbers.
	{pattern: `{clitic}`, ahead: `[^A-Za-z]`, token: closing},
	{pattern: `{nt}`, ahead: `[^A-Za-z]`, token: closing},
	{pattern: `[{digit}]{1,2}[\-/][{digit}]{1,2}[\-/][{digit}]{2,4}`},
	{pattern: `[+\-]?{number}`, token: soft},
	{pattern: `[\x{207A}\x{207B}\x{208A}\x{208B}]?(?:[\x{2070}\x{B9}\x{B2}\x{B3}\x{2074}-\x{2079}]+|[\x{2080}-\x{2089}]+)`},
	{pattern: `(?:[{digit}]{1,4}[\- \x{A0}])?[{digit}]{1,4}(?:\\?/|\x{2044})[{digit}]{1,4}`, token: solid},
	{pattern: `\x{BC}`, token: always("1/4")},
	{pattern: `\x{BD}`, token: always("1/2")},
	{pattern: `\x{BE}`, token: always("3/4")},
	{pattern: `\x{2153}`, token: always("1/3")},
	{pattern: `\x{2154}`, token: always("2/3")},
	{pattern: `[\x{2155}-\x{215E}]`},

	// Odd words, slashes and money.
	{pattern: `-[LR][RCS]B-|C\.D\.s|` + fold("pro anti") + `-|S(?:&|{amp})P-500|S(?:&|{amp})Ls|` + fold("cap") + `{ap}[nN]|[cC]{ap}` + fold("est")},
	{pattern: `{part}\\?/{part}(?:\\?/{part})?`},
	{pattern: `[A-Z]*\$|#`},
	{pattern: `[\x{A5}{money}]`},
	{pattern: `\x{A2}`, token: always("cents")},
	{pattern: `\x{A3}`, token: always("#")},
	{pattern: `[\x{20AC}\x{A4}\x{20A0}\x{80}]`, token: always("$")},

	// Abbreviations.
	{pattern: `{acro}\.`, ahead: `{gap}+(?:{starter}|{tag}){gap}`, back: 1, token: acronym},
	{pattern: fold("ca fig figs prop no nos art bldg pp op") + `\.`, ahead: `{gap}?[{digit}]`},
	{pattern: fold("pte pty co") + `\.`, ahead: ` ` + fold("ltd lim")},
	{pattern: `{group1}\.`, ahead: `{gap}(?:{gap}|[{upper}]|{tag})`, back: 1},
	{pattern: `{group1}\.`, ahead: `(?s:..)`},
	{pattern: `{group1}\.`, back: 1},
	{pattern: `{group2}\.|{acro}\.`},
	{pattern: `{group2}`, ahead: `[{space}]`},
	{pattern: `{acro}`, ahead: `{gap}`},
	{pattern: `{ap}[{digit}]{2}`, ahead: `{gap}`},
	{pattern: `{name}(?:\.{name})*\.` + fold("bat bmp c class cgi cpp dll doc docx exe gif gz h htm html jar java jpeg jpg mov mp3 pdf php pl png ppt ps py sql tar txt wav x xml zip"), ahead: `{gap}|[.?!,]`},
	{pattern: `{word}\.`, ahead: `[,;:\x{3001}]`},
	{pattern: `(?:\([0-9]{2,3}\)[ \x{A0}]?|\+{0,2}(?:[0-9]{2,4}[\- \x{A0}])?[0-9]{2,4}[\- \x{A0}])[0-9]{3,4}[\- \x{A0}]?[0-9]{3,5}` +
		`|(?:\+{0,2}[0-9]{2,4}\.)?[0-9]{2,4}\.[0-9]{3,4}\.[0-9]{3,5}`, token: phone},

	// Signs.
	{pattern: `"|&quot;`, ahead: `[A-Za-z0-9$]`, token: always("``")},
	{pattern: `"|&quot;`, token: always("''")},
	{pattern: `\x{7F}`, token: always("")},
	{pattern: `<|` + fold("&lt;"), token: always("<")},
	{pattern: `>|` + fold("&gt;"), token: always(">")},
	{pattern: `[<>]?[:;=][\-o*']?[()DPdpO\\{@|\[\]]`, ahead: `[^A-Za-z0-9]`, token: round},
	{pattern: `[\-^x=~<>']_[\-^x=~<>']|\([\-^x=~<>'][_.]?[\-^x=~<>']\)|\([\^x=~<>']-[\^x=~<>'` + "`" + `]\)|[\^x=~<>]\.\[\^x=~<>\]`, token: round},
	{pattern: `[{}()\[\]]`, token: brackets},
	{pattern: `-+`, token: dashes},
	{pattern: `\.{3,5}|\.(?:[ \x{A0}]\.){2,4}|\x{2026}|\x{85}`, token: always("...")},
	{pattern: `@+|#+|_+|\*+|(?:\\\*){1,3}|[,;:\x{3001}]|[?!]+|[.\x{A1}\x{BF}{stop}]|=|/`},

	// Words of several parts.
	{pattern: `{numbered}\.`, ahead: `[,;:\x{3001}]`, token: soft},
	{pattern: `{numbered}`, token: soft},
	{pattern: `{thing}\.`, ahead: `[,;:\x{3001}]`, token: soft},
	{pattern: `{thing}`, token: soft},
	{pattern: `{joined}\.`, ahead: `[,;:\x{3001}]`, token: ampersand},
	{pattern: `{joined}`, token: ampersand},

	// Quotes and what is left.
	{pattern: `'`, ahead: `[A-Za-z][^ \t\r\n]`, token: always("`")},
	{pattern: `{clitic}|{nt}|{quote}`, token: closing},
	{pattern: `<<|>>`},
	{pattern: `[+%&~^|\\{symbol2}]`},
	{pattern: `[{space}\x{0}\x{200B}\x{200E}\x{200F}\x{FEFF}]+|{break}|&nbsp;`, token: always("")},
}

// tokenNames are patterns used by others.
var tokenNames = map[string]string{
	"wletter":  `(?:[{letter}{mark}]|&[aeiouAEIOU](?:acute|grave|uml);)`,
	"chunk":    `{wletter}(?:{wletter}|[{digit}])*`,
	"word":     `{chunk}(?:[.!?]{chunk})*`,
	"name":     `(?:{wletter}|[{digit}])+`,
	"space":    ` \t\x{A0}\x{2000}-\x{200A}\x{3000}`,
	"break":    `(?:\r\n|[\r\n\v\f\x{85}\x{2028}\x{2029}])`,
	"gap":      `(?:[{space}]|{break})`,
	"ap":       `(?:['\x{2019}\x{92}]|&apos;)`,
	"ap2":      "(?:['\\x{2019}\\x{92}`\\x{2018}\\x{201B}\\x{91}]|&apos;)",
	"hyphen":   `\-_\x{58A}\x{2010}\x{2011}`,
	"clitic":   `{ap}(?:[msdMSD]|[rR][eE]|[vV][eE]|[lL][lL])`,
	"nt":       `[nN]{ap2}[tT]`,
	"number":   `(?:[{digit}]+|[{digit}]*(?:[.,:\x{AD}\x{66B}\x{66C}][{digit}]+)+)`,
	"acro":     `(?:[A-Za-z](?:\.[A-Za-z])*|(?:Canada|Sino|Korean|EU|Japan|non)-U\.S|U\.S\.-(?:U\.K|U\.S\.S\.R))`,
	"acro2":    `(?:[A-Za-z](?:\.[A-Za-z])+|(?:Canada|Sino|Korean|EU|Japan|non)-U\.S|U\.S\.-(?:U\.K|U\.S\.S\.R))`,
	"tag":      `(?:<[!?][A-Za-z][^>]*>|<{tagname}(?:{gap}+{tagname}(?:{gap}*={gap}*(?:"[^"]*"|'[^']*'))?)*{gap}*/?{gap}*>|</{tagname}{gap}*>)`,
	"tagname":  `[A-Za-z][A-Za-z0-9_:.\-]*`,
	"amp":      fold("&amp;"),
	"out":      ` \t\n\f\r"<>|`,
	"path":     `(?:/[^{out}()]+[^{out}().!?{},\-])`,
	"part":     `[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}`,
	"numbered": `[A-Za-z0-9][A-Za-z0-9.,\x{AD}]*(?:-(?:[A-Za-z0-9\x{AD}]+|{acro2}\.))+`,
	"thing":    `{bit}(?:[{hyphen}]{bit})*`,
	"bit":      `(?:[dDoOlL]{ap2})?[{letter}{digit}]+`,
	"quote":    "(?:{ap}|''|`{1,2}|[\\x{2018}-\\x{201F}\\x{2039}\\x{203A}\\x{AB}\\x{BB}\\x{91}-\\x{94}]{1,2})",
	"joined":   `[A-Z]+(?:(?:[&+]|{amp})[A-Z]+)+`,
	"money":    `\x{9F2}\x{9F3}\x{9FB}\x{AF1}\x{BF9}\x{E3F}\x{17DB}\x{20A1}-\x{20AB}\x{20AD}-\x{20B8}\x{A838}\x{FDFC}\x{FE69}\x{FF04}\x{FFE0}\x{FFE1}\x{FFE5}\x{FFE6}`,
	"stop":     `\x{589}\x{61F}\x{6D4}\x{700}-\x{702}\x{964}\x{3002}\x{7FA}\x{FF01}\x{FF0E}\x{FF1F}\x{FF61}`,
	"starter": "(?:" + fold(`^About ^According ^Additionally ^After ^An ^A ^As ^At ^But ^Earlier ^He ^Her ^Here ^However ^If ^In ^It ^Last ^Many ^More ^Mr\. ^Ms\. ^Now
		^Once ^One ^Other ^Our ^She ^Since ^So ^Some ^Such ^That ^The ^Their ^Then ^There ^These ^They ^This ^We ^When ^While ^What ^Yet ^You`) + ")",
	"group1": fold(abbreviations1),
	"group2": "(?:" + fold(abbreviations2) + `|[mM][ft][gG])`,
}

// Abbreviations that may end a sentence, and those that do not; see fold.
const (
	abbreviations1 = `Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec Mon Tue Tues Wed Thu Thurs Fri Ala Ariz ^Az ^Ark Calif Colo Conn Ct Dak ^Del Fla Ga ^Ill
		Ind Kan Kans Ky ^La ^Mass Md Mich Minn ^Miss Mo Mont Neb Nev Okla ^Ore ^Pa Penn Tenn ^Tex Va Vt ^Wash Wis Wisc Wyo Inc Co Cos Corp Pty Ptys Ppty Pptys
		Pte Ptes Ppte Pptes Ltd Plc Rt Bancorp Bhd Assn Univ Intl Sys tel est ext sq Jr Sr Bros Ed\.D Ph\.D Blvd Rd Esq etc al seq Bldg`
	abbreviations2 = `Mr Mrs Ms ^Miss Dr Drs Prof Profs Sen Sens Rep Reps Atty Attys Lt Col Gen Messrs Gov Govs Adm Rev Maj Sgt Cpl Pvt Capt St Ste Ave Pres Lieut
		Hon Brig Cmdr Comdr Pfc Spc Supt Supts Det Mt Ft Adj Adv Asst Assoc Ens Insp Mlle Mme Msgr Sfc vs Alex Wm Jos Cie a\.k\.a cf TREAS Ph
		Invt Elec Natl Dept`
)

//go:embed tokenclasses.json
var tokenClasses []byte

// fold makes a pattern for any of some words in any case; after ^, the first
// letter must be a capital.
func fold(words string) string {
	list := strings.Fields(words)
	for i, word := range list {
		var b strings.Builder
		first, capital := strings.CutPrefix(word, "^")
		for j, r := range first {
			lower, upper := strings.ToLower(string(r)), strings.ToUpper(string(r))
			switch {
			case lower == upper || j > 0 && first[j-1] == '\\':
				b.WriteRune(r)
			case j == 0 && capital:
				b.WriteString(upper)
			default:
				b.WriteString("[" + lower + upper + "]")
			}
		}
		list[i] = b.String()
	}
	return "(?:" + strings.Join(list, "|") + ")"
}

// classRanges are the character classes as the inside of brackets; those of ascii
// are the same up to \x7F.
func classRanges() (classes, ascii map[string]string, err error) {
	var ranges map[string][][2]rune
	if err := json.Unmarshal(tokenClasses, &ranges); err != nil {
		return nil, nil, fmt.Errorf("tokenclasses.json: %w", err)
	}
	classes, ascii = map[string]string{}, map[string]string{}
	for name, list := range ranges {
		var all, few strings.Builder
		for _, r := range list {
			fmt.Fprintf(&all, `\x{%X}-\x{%X}`, r[0], r[1])
			if r[0] < utf8.RuneSelf {
				fmt.Fprintf(&few, `\x{%X}-\x{%X}`, r[0], r[1])
			}
		}
		classes[name], ascii[name] = all.String(), few.String()+`\x{80}` // brackets may not be empty
	}
	return classes, ascii, nil
}

var bracedName = regexp.MustCompile(`\{([a-z][a-z0-9]*)\}`)

// expand replaces names in a pattern.
func expand(pattern string, classes map[string]string) string {
	return bracedName.ReplaceAllStringFunc(pattern, func(braced string) string {
		name := braced[1 : len(braced)-1]
		if class, ok := classes[name]; ok {
			return class
		}
		named, ok := tokenNames[name]
		if !ok {
			panic("token rules: no pattern " + braced) // a mistake in the table above
		}
		return expand(named, classes)
	})
}
