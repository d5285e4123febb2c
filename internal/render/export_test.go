package render

import "github.com/holdfast-go/holdfast/internal/ast"

// Forget has the statements of m's database be written anew.
func (m *Model) Forget() {
	s := &m.models.shapes
	s.mu.Lock()
	defer s.mu.Unlock()
	s.young, s.old, s.size = nil, nil, 0
}

// Select renders a SELECT of m's database.
func (m *Model) Select(s *ast.Select) (Text, *Outputs, error) { return m.models.Select(s) }
