package tpch

import (
	"regexp"

	"github.com/holdfast-go/holdfast/dialect"
)

// spell writes what engines spell in their own ways: {day 1994-01-01}, {year column}.
func spell(engine, text string) string {
	day, year := "DATE '$1'", "EXTRACT(YEAR FROM $1)"
	switch engine {
	case dialect.SQLite:
		day, year = "'$1'", "CAST(strftime('%Y', $1) AS INTEGER)"
	case dialect.Postgres:
		year = "CAST(EXTRACT(YEAR FROM $1) AS bigint)"
	}
	text = days.ReplaceAllString(text, day)
	return years.ReplaceAllString(text, year)
}

var (
	days  = regexp.MustCompile(`\{day ([-0-9]+)\}`)
	years = regexp.MustCompile(`\{year ([a-z_.]+)\}`)
)

// plain are the questions as SQL. An average is over a floating-point number, since
// MySQL rounds that of whole numbers to four digits, and PostgreSQL adds whole
// numbers up as a numeric.
var plain = [...]string{
	1: `SELECT l_returnflag, l_linestatus, SUM(l_quantity), SUM(l_extendedprice), SUM(l_extendedprice * (100 - l_discount)),
			SUM(l_extendedprice * (100 - l_discount) * (100 + l_tax)),
			AVG(l_quantity * 1e0), AVG(l_extendedprice * 1e0), AVG(l_discount * 1e0), COUNT(*)
		FROM lineitem WHERE l_shipdate <= {day 1998-09-02}
		GROUP BY l_returnflag, l_linestatus ORDER BY l_returnflag, l_linestatus`,

	2: `SELECT s_acctbal, s_name, n_name, p_partkey, p_mfgr, s_address, s_phone, s_comment
		FROM partsupp JOIN part ON p_partkey = ps_partkey JOIN supplier ON s_suppkey = ps_suppkey
			JOIN nation ON n_nationkey = s_nationkey JOIN region ON r_regionkey = n_regionkey
		WHERE r_name = 'EUROPE' AND p_size = 15 AND p_type LIKE '%BRASS'
			AND NOT EXISTS (SELECT 1 FROM partsupp cheaper JOIN supplier s2 ON s2.s_suppkey = cheaper.ps_suppkey
				JOIN nation n2 ON n2.n_nationkey = s2.s_nationkey JOIN region r2 ON r2.r_regionkey = n2.n_regionkey
				WHERE r2.r_name = 'EUROPE' AND cheaper.ps_partkey = p_partkey AND cheaper.ps_supplycost < partsupp.ps_supplycost)
		ORDER BY s_acctbal DESC, n_name, s_name, p_partkey LIMIT 100`,

	3: `SELECT o_orderkey, SUM(l_extendedprice * (100 - l_discount)) AS revenue, o_orderdate, o_shippriority
		FROM lineitem JOIN orders ON o_orderkey = l_orderkey JOIN customer ON c_custkey = o_custkey
		WHERE c_mktsegment = 'BUILDING' AND o_orderdate < {day 1995-03-15} AND l_shipdate > {day 1995-03-15}
		GROUP BY o_orderkey, o_orderdate, o_shippriority ORDER BY revenue DESC, o_orderdate, o_orderkey LIMIT 10`,

	4: `SELECT o_orderpriority, COUNT(*) FROM orders
		WHERE o_orderdate >= {day 1993-07-01} AND o_orderdate < {day 1993-10-01}
			AND o_orderkey IN (SELECT l_orderkey FROM lineitem WHERE l_commitdate < l_receiptdate)
		GROUP BY o_orderpriority ORDER BY o_orderpriority`,

	5: `SELECT n_name, SUM(l_extendedprice * (100 - l_discount)) AS revenue
		FROM lineitem JOIN orders ON o_orderkey = l_orderkey JOIN customer ON c_custkey = o_custkey
			JOIN supplier ON s_suppkey = l_suppkey AND s_nationkey = c_nationkey
			JOIN nation ON n_nationkey = s_nationkey JOIN region ON r_regionkey = n_regionkey
		WHERE r_name = 'ASIA' AND o_orderdate >= {day 1994-01-01} AND o_orderdate < {day 1995-01-01}
		GROUP BY n_name ORDER BY revenue DESC`,

	6: `SELECT SUM(l_extendedprice * l_discount) FROM lineitem
		WHERE l_shipdate >= {day 1994-01-01} AND l_shipdate < {day 1995-01-01}
			AND l_discount BETWEEN 5 AND 7 AND l_quantity < 24`,

	7: `SELECT seller.n_name, buyer.n_name, {year l_shipdate} AS shipped, SUM(l_extendedprice * (100 - l_discount))
		FROM lineitem JOIN supplier ON s_suppkey = l_suppkey JOIN nation seller ON seller.n_nationkey = s_nationkey
			JOIN orders ON o_orderkey = l_orderkey JOIN customer ON c_custkey = o_custkey JOIN nation buyer ON buyer.n_nationkey = c_nationkey
		WHERE l_shipdate BETWEEN {day 1995-01-01} AND {day 1996-12-31}
			AND (seller.n_name = 'FRANCE' AND buyer.n_name = 'GERMANY' OR seller.n_name = 'GERMANY' AND buyer.n_name = 'FRANCE')
		GROUP BY seller.n_name, buyer.n_name, {year l_shipdate} ORDER BY seller.n_name, buyer.n_name, shipped`,

	8: `SELECT {year o_orderdate} AS ordered, SUM(CASE WHEN seller.n_name = 'BRAZIL' THEN l_extendedprice * (100 - l_discount) ELSE 0 END) * 1e0
			/ SUM(l_extendedprice * (100 - l_discount))
		FROM lineitem JOIN part ON p_partkey = l_partkey JOIN supplier ON s_suppkey = l_suppkey
			JOIN nation seller ON seller.n_nationkey = s_nationkey
			JOIN orders ON o_orderkey = l_orderkey JOIN customer ON c_custkey = o_custkey
			JOIN nation buyer ON buyer.n_nationkey = c_nationkey JOIN region ON r_regionkey = buyer.n_regionkey
		WHERE r_name = 'AMERICA' AND o_orderdate BETWEEN {day 1995-01-01} AND {day 1996-12-31} AND p_type = 'ECONOMY ANODIZED STEEL'
		GROUP BY {year o_orderdate} ORDER BY ordered`,

	9: `SELECT n_name, {year o_orderdate} AS ordered, SUM(l_extendedprice * (100 - l_discount) - ps_supplycost * l_quantity * 100)
		FROM lineitem JOIN partsupp ON ps_partkey = l_partkey AND ps_suppkey = l_suppkey JOIN part ON p_partkey = l_partkey
			JOIN supplier ON s_suppkey = l_suppkey JOIN nation ON n_nationkey = s_nationkey JOIN orders ON o_orderkey = l_orderkey
		WHERE p_name LIKE '%green%'
		GROUP BY n_name, {year o_orderdate} ORDER BY n_name, ordered DESC`,

	10: `SELECT c_custkey, c_name, SUM(l_extendedprice * (100 - l_discount)) AS lost, c_acctbal, n_name, c_address, c_phone, c_comment
		FROM lineitem JOIN orders ON o_orderkey = l_orderkey JOIN customer ON c_custkey = o_custkey JOIN nation ON n_nationkey = c_nationkey
		WHERE o_orderdate >= {day 1993-10-01} AND o_orderdate < {day 1994-01-01} AND l_returnflag = 'R'
		GROUP BY c_custkey, c_name, c_acctbal, n_name, c_address, c_phone, c_comment ORDER BY lost DESC, c_custkey LIMIT 20`,

	11: `SELECT ps_partkey, SUM(ps_supplycost * ps_availqty) AS worth
		FROM partsupp JOIN supplier ON s_suppkey = ps_suppkey JOIN nation ON n_nationkey = s_nationkey
		WHERE n_name = 'GERMANY' GROUP BY ps_partkey
		HAVING SUM(ps_supplycost * ps_availqty) * 100 > (SELECT SUM(ps_supplycost * ps_availqty)
			FROM partsupp JOIN supplier ON s_suppkey = ps_suppkey JOIN nation ON n_nationkey = s_nationkey WHERE n_name = 'GERMANY')
		ORDER BY worth DESC, ps_partkey`,

	12: `SELECT l_shipmode, COUNT(CASE WHEN o_orderpriority IN ('1-URGENT', '2-HIGH') THEN 1 END),
			COUNT(CASE WHEN o_orderpriority NOT IN ('1-URGENT', '2-HIGH') THEN 1 END)
		FROM lineitem JOIN orders ON o_orderkey = l_orderkey
		WHERE l_shipmode IN ('MAIL', 'SHIP') AND l_shipdate < l_commitdate AND l_commitdate < l_receiptdate
			AND l_receiptdate >= {day 1994-01-01} AND l_receiptdate < {day 1995-01-01}
		GROUP BY l_shipmode ORDER BY l_shipmode`,

	13: `SELECT n, COUNT(*) AS customers FROM (
			SELECT c_custkey, (SELECT COUNT(*) FROM orders WHERE o_custkey = c_custkey AND o_comment NOT LIKE '%special%requests%') AS n
			FROM customer) AS counted
		GROUP BY n ORDER BY customers DESC, n DESC`,

	14: `SELECT 100e0 * SUM(CASE WHEN p_type LIKE 'PROMO%' THEN l_extendedprice * (100 - l_discount) ELSE 0 END)
			/ SUM(l_extendedprice * (100 - l_discount))
		FROM lineitem JOIN part ON p_partkey = l_partkey
		WHERE l_shipdate >= {day 1995-09-01} AND l_shipdate < {day 1995-10-01}`,

	15: `WITH revenue AS (
			SELECT l_suppkey AS seller, SUM(l_extendedprice * (100 - l_discount)) AS total FROM lineitem
			WHERE l_shipdate >= {day 1996-01-01} AND l_shipdate < {day 1996-04-01} GROUP BY l_suppkey)
		SELECT s_suppkey, s_name, s_address, s_phone, total FROM supplier JOIN revenue ON seller = s_suppkey
		WHERE total = (SELECT MAX(total) FROM revenue) ORDER BY s_suppkey`,

	16: `SELECT p_brand, p_type, p_size, COUNT(DISTINCT ps_suppkey) AS sellers
		FROM partsupp JOIN part ON p_partkey = ps_partkey
		WHERE p_brand <> 'Brand#45' AND p_type NOT LIKE 'MEDIUM POLISHED%' AND p_size IN (49, 14, 23, 45, 19, 3, 36, 9)
			AND NOT EXISTS (SELECT 1 FROM supplier WHERE s_suppkey = ps_suppkey AND s_comment LIKE '%Customer%Complaints%')
		GROUP BY p_brand, p_type, p_size ORDER BY sellers DESC, p_brand, p_type, p_size`,

	17: `SELECT SUM(l_extendedprice) / 7e0 FROM lineitem JOIN part ON p_partkey = l_partkey
		WHERE p_brand = 'Brand#23' AND p_container = 'MED BOX'
			AND 5 * l_quantity < (SELECT AVG(every.l_quantity * 1e0) FROM lineitem every WHERE every.l_partkey = p_partkey)`,

	18: `SELECT c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice, big.quantity
		FROM (SELECT l_orderkey, SUM(l_quantity) AS quantity FROM lineitem GROUP BY l_orderkey HAVING SUM(l_quantity) > 260) AS big
			JOIN orders ON o_orderkey = big.l_orderkey JOIN customer ON c_custkey = o_custkey
		ORDER BY o_totalprice DESC, o_orderdate, o_orderkey LIMIT 100`,

	19: `SELECT SUM(l_extendedprice * (100 - l_discount)) FROM lineitem JOIN part ON p_partkey = l_partkey
		WHERE l_shipmode IN ('AIR', 'REG AIR') AND l_shipinstruct = 'DELIVER IN PERSON' AND (
			p_brand = 'Brand#12' AND p_container IN ('SM CASE', 'SM BOX', 'SM PACK', 'SM PKG') AND l_quantity BETWEEN 1 AND 11 AND p_size BETWEEN 1 AND 5
			OR p_brand = 'Brand#23' AND p_container IN ('MED BAG', 'MED BOX', 'MED PKG', 'MED PACK') AND l_quantity BETWEEN 10 AND 20 AND p_size BETWEEN 1 AND 10
			OR p_brand = 'Brand#34' AND p_container IN ('LG CASE', 'LG BOX', 'LG PACK', 'LG PKG') AND l_quantity BETWEEN 20 AND 30 AND p_size BETWEEN 1 AND 15)`,

	20: `SELECT s_name, s_address FROM supplier JOIN nation ON n_nationkey = s_nationkey
		WHERE n_name = 'CANADA' AND EXISTS (SELECT 1 FROM partsupp JOIN part ON p_partkey = ps_partkey
			WHERE ps_suppkey = s_suppkey AND p_name LIKE 'forest%' AND 2 * ps_availqty > (SELECT SUM(l_quantity) FROM lineitem
				WHERE l_partkey = ps_partkey AND l_suppkey = ps_suppkey AND l_shipdate >= {day 1994-01-01} AND l_shipdate < {day 1995-01-01}))
		ORDER BY s_name`,

	21: `SELECT s_name, COUNT(*) AS waiting
		FROM lineitem late JOIN orders ON o_orderkey = late.l_orderkey JOIN supplier ON s_suppkey = late.l_suppkey JOIN nation ON n_nationkey = s_nationkey
		WHERE n_name = 'SAUDI ARABIA' AND o_orderstatus = 'F' AND late.l_receiptdate > late.l_commitdate
			AND EXISTS (SELECT 1 FROM lineitem l2 WHERE l2.l_orderkey = late.l_orderkey AND l2.l_suppkey <> late.l_suppkey)
			AND NOT EXISTS (SELECT 1 FROM lineitem l3 WHERE l3.l_orderkey = late.l_orderkey AND l3.l_suppkey <> late.l_suppkey
				AND l3.l_receiptdate > l3.l_commitdate)
		GROUP BY s_name ORDER BY waiting DESC, s_name LIMIT 100`,

	22: `SELECT SUBSTRING(c_phone, 1, 2) AS code, COUNT(*), SUM(c_acctbal) FROM customer
		WHERE SUBSTRING(c_phone, 1, 2) IN ('13', '31', '23', '29', '30', '18', '17')
			AND c_acctbal > (SELECT AVG(c_acctbal * 1e0) FROM customer
				WHERE c_acctbal > 0 AND SUBSTRING(c_phone, 1, 2) IN ('13', '31', '23', '29', '30', '18', '17'))
			AND NOT EXISTS (SELECT 1 FROM orders WHERE o_custkey = c_custkey)
		GROUP BY SUBSTRING(c_phone, 1, 2) ORDER BY code`,
}
