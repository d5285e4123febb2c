package mysql

import (
	"context"
	"errors"
	"net"
	"regexp"
	"strconv"
	"strings"

	godriver "github.com/go-sql-driver/mysql"
)

// message is the server's message without the values in it. The servers put
// values between quotes, as a rule, and names too, so that it takes the error's
// number to tell them apart.
func message(e *godriver.MySQLError) string {
	where, text := withoutVitess(e.Message)
	if code := vtgateCode.FindString(text); code != "" {
		return where + code + beforeValue(text[len(code):])
	}
	return where + said(e, text)
}

// said is text, which is the message or what a server behind Vitess has said.
func said(e *godriver.MySQLError, text string) string {
	switch {
	case signalled(e):
		return raised(e)
	case !serversOwn(e.Number, text):
		return notOwn
	}
	switch e.Number {
	case 1062, 1586, 1569: // Duplicate entry '…' for key '…'
		if found := ofKey.FindStringSubmatch(text); found != nil {
			return "duplicate entry" + found[1]
		}
		return "duplicate entry"
	case 1064, 1149: // You have an error in your SQL syntax; … near '…' at line 1
		return "syntax error" + nearWord(text) + atLine.FindString(text)
	case 1292, 1366, 1367, 1411, 1525: // Incorrect integer value: '…' for column '…' at row 1
		return beforeValue(text) + column(text)
	case 1267, 1270, 1271, 3854: // Illegal mix of collations (latin1_swedish_ci,IMPLICIT) and (utf8mb4_bin,COERCIBLE) for operation '='; Cannot convert string '…' from utf8mb4 to latin1
		return beforeMix(text) + ": a text stands beside one of another collation, or has characters that the character set of the column beside it has not"
	case 1644: // SIGNAL: the text is the application's own, and may hold anything
		return raised(e)
	case 1690: // BIGINT value is out of range in '(`db`.`t`.`a` - 5)'
		return strings.TrimSuffix(beforeValue(text), " in")
	case 1761, 1762: // Foreign key constraint for table '…', record '…' would lead to a duplicate entry …
		return "a foreign key would lead to a duplicate entry"
	}
	if named[e.Number] {
		return text
	}
	return beforeValue(text)
}

// vtgate's own errors begin with a code of Vitess. They bear the numbers of MySQL, and
// may quote what MySQL does not.
var vtgateCode = regexp.MustCompile(`^VT[0-9]{5}: `)

// behindVitess stands in front of what a server behind Vitess has said, with the names
// of the keyspace and the shard; afterVitess follows it.
var (
	behindVitess = regexp.MustCompile(`^(target: [\w.-]+: )(?:vttablet: )?(?:rpc error: code = \w+ desc = )?`)
	afterVitess  = regexp.MustCompile(`( \(errno [0-9]+\))?( \(sqlstate \w+\))?$`)
)

// withoutVitess is what a server behind Vitess has said, and where: vttablet adds the
// caller, the statement and the bound values, and a value in front of that which looks
// the same is cut off with it.
func withoutVitess(text string) (where, said string) {
	for _, mark := range []string{" (CallerID:", ": Sql: \"", ", BindVars:", "BindVars: {"} {
		text, _, _ = strings.Cut(text, mark)
	}
	if found := behindVitess.FindStringSubmatch(text); found != nil {
		where, text = found[1], afterVitess.ReplaceAllString(text[len(found[0]):], "")
	}
	return where, text
}

// named are the errors whose messages hold names and positions, but no values.
var named = func() map[uint16]bool {
	all := make(map[uint16]bool)
	for _, n := range []uint16{
		1020, 1022, 1040, 1041, 1044, 1045, 1046, 1047, 1048, 1049, 1050, 1051, 1052, 1053, 1054, 1055, 1056, 1058, 1059,
		1060, 1061, 1063, 1065, 1066, 1068, 1071, 1072, 1075, 1080, 1091, 1093, 1099, 1100, 1101, 1103, 1104, 1109, 1110,
		1111, 1113, 1114, 1118, 1129, 1130, 1136, 1137, 1138, 1140, 1142, 1143, 1144, 1146, 1148, 1152, 1153, 1158,
		1159, 1160, 1161, 1166, 1170, 1172, 1176, 1180, 1184, 1192, 1193, 1203, 1205, 1206, 1213, 1216, 1217, 1222, 1226,
		1227, 1230, 1235, 1239, 1241, 1242, 1243, 1247, 1248, 1250, 1253, 1263, 1264, 1265, 1288, 1290, 1295,
		1296, 1304, 1305, 1309, 1317, 1318, 1339, 1345, 1347, 1348, 1351, 1356, 1357, 1364, 1369, 1370, 1390, 1391,
		1393, 1394, 1395, 1398, 1399, 1400, 1401, 1402, 1406, 1412, 1422, 1423, 1425, 1426, 1427, 1442, 1443, 1451, 1452, 1461,
		1471, 1557, 1568, 1613, 1614, 1615, 1698, 1785, 1787, 1792, 1820, 1836, 1927, 1969, 3024, 3032, 3058, 3100, 3101,
		3105, 3159, 3164, 3169, 3572, 3636, 3730, 3780, 3819, 4025, 4031,
	} {
		all[n] = true
	}
	return all
}()

// beforeMix keeps the names of collations, which are no values.
func beforeMix(text string) string {
	if strings.HasPrefix(text, "Illegal mix of collations") {
		return text
	}
	return beforeValue(text)
}

// beforeValue is what a message says before the first quote or digit, which is
// as much as can be trusted of one that is not known.
func beforeValue(text string) string {
	if i := strings.IndexAny(text, "'\"`0123456789"); i >= 0 {
		text = text[:i]
	}
	return strings.TrimRight(text, " :(")
}

// named by a message after its value, at its end: the value may say anything, but
// a quote follows it.
var (
	ofKey      = regexp.MustCompile("(?s)^(?:Duplicate|ALTER TABLE .* duplicate) entry '.*'( for key (?:'([^']*)'|[0-9]+))$")
	atLine     = regexp.MustCompile(" at line [0-9]+$")
	ofColumn   = regexp.MustCompile(" for column (?:'[^']*'|`[^`]*`(?:\\.`[^`]*`)*)(?: at row [0-9]+)?$")
	ofFunction = regexp.MustCompile(" for function [a-z_]+$")
)

// column is the column that a message names after its value.
func column(text string) string {
	if s := ofColumn.FindString(text); s != "" {
		return s
	}
	return ofFunction.FindString(text)
}

// nearWord is the word at which the server stopped reading, if it is one: what
// follows it in the message is the rest of the statement, values and all.
func nearWord(text string) string {
	_, rest, ok := strings.Cut(text, " near '")
	if !ok {
		return ""
	}
	end := 0
	for end < len(rest) && (rest[end]|0x20 >= 'a' && rest[end]|0x20 <= 'z' || rest[end] == '_') {
		end++
	}
	if end == 0 {
		return ""
	}
	return " near " + strconv.Quote(rest[:end])
}

func connectionMessage(err error) string {
	var op *net.OpError
	switch {
	case errors.Is(err, context.Canceled):
		return "its ctx was cancelled while a statement was under way, and the driver has closed it"
	case errors.Is(err, context.DeadlineExceeded):
		return "its ctx ran out of time while a statement was under way, and the driver has closed it"
	case errors.Is(err, errClosed):
		return "it was found closed before anything was sent"
	case errors.As(err, &op):
		return op.Op + ": " + op.Err.Error()
	}
	return err.Error()
}

// driverMessage is for an error that is neither the server's nor the
// network's: one of ours, or of the driver, which quotes values in some.
func driverMessage(err error) string {
	text := err.Error()
	for _, quoting := range []string{"invalid time bytes", "invalid DATETIME", "invalid TIME", "parsing time", "parsing \""} {
		if i := strings.Index(text, quoting); i >= 0 {
			return text[:i] + "a value that the server sent cannot be read"
		}
	}
	return text
}
