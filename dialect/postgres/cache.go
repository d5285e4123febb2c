package postgres

import "container/list"

// cache holds the statements of one connection, of which the least recently
// used give way.
type cache struct {
	limit  int // statements
	length int // of all texts
	byText map[string]*list.Element
	order  list.List // of *statement, the last used in front
}

// maxText bounds the texts of a cache together, in bytes. Inserts of many rows
// are long, and another text for each number of rows.
const maxText = 4 << 20

func newCache(limit int) *cache {
	return &cache{limit: limit, byText: make(map[string]*list.Element)}
}

func (c *cache) get(text string) *statement {
	e := c.byText[text]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*statement)
}

// put adds st and returns the names of the prepared statements that the server
// need not keep any longer.
func (c *cache) put(st *statement) (closing []string) {
	closing = c.drop(st.text)
	c.byText[st.text] = c.order.PushFront(st)
	c.length += len(st.text)
	for len(c.byText) > c.limit || c.length > maxText {
		closing = append(closing, c.drop(c.order.Back().Value.(*statement).text)...)
	}
	return closing
}

func (c *cache) drop(text string) (closing []string) {
	e := c.byText[text]
	if e == nil {
		return nil
	}
	delete(c.byText, text)
	c.length -= len(text)
	if name := c.order.Remove(e).(*statement).sd.Name; name != "" {
		closing = append(closing, name)
	}
	return closing
}

func (c *cache) dropAll() (closing []string) {
	for text := range c.byText {
		closing = append(closing, c.drop(text)...)
	}
	return closing
}
