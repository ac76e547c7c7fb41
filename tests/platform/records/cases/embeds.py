"""Embedding: every cardinality, hints, joins, aliases, spreads, refusals (contract 1.2)."""

from tests.platform.records.cases.case import SINGLE, get, refuses

AMBIGUOUS = "PGRST201"
CASES = (
    # To one.
    get("authors?select=name,countries(name)&order=id", [
        {"name": "Ann", "countries": {"name": "Norway"}}, {"name": "Bob", "countries": {"name": "Peru"}},
        {"name": "Cleo", "countries": None}, {"name": "Dan", "countries": {"name": "Norway"}},
    ]),
    get("authors?select=name,countries(*)&id=eq.2", [
        {"name": "Bob", "countries": {"id": 2, "name": "Peru", "code": "PE"}}]),
    get("authors?select=home:countries(code)&id=eq.1", [{"home": {"code": "NO"}}]),
    get("authors?select=name,country_id(name)&id=eq.1", [{"name": "Ann", "country_id": {"name": "Norway"}}],
        name="a key's column as the target"),
    get("authors?select=name,authors_country(name)&id=eq.1", [{"name": "Ann", "authors_country": {"name": "Norway"}}],
        name="a key's name as the target"),
    get("authors?select=name,countries!authors_country(name)&id=eq.1",
        [{"name": "Ann", "countries": {"name": "Norway"}}]),
    get("authors?select=name,countries!country_id(name)&id=eq.1", [{"name": "Ann", "countries": {"name": "Norway"}}]),
    get("authors?select=name,countries!inner(name)&order=id&id=gt.1", [
        {"name": "Bob", "countries": {"name": "Peru"}}, {"name": "Dan", "countries": {"name": "Norway"}}]),
    get("authors?select=name,countries!left(name)&id=eq.3", [{"name": "Cleo", "countries": None}]),
    get("copies?select=id,shelves(wood)&order=id", [
        {"id": 1, "shelves": {"wood": "oak"}}, {"id": 2, "shelves": {"wood": "pine"}},
        {"id": 3, "shelves": {"wood": "oak"}}, {"id": 4, "shelves": None}], name="a key of two columns"),
    # One to one.
    get("authors?select=name,profiles(bio)&order=id&id=lt.4", [
        {"name": "Ann", "profiles": {"bio": "wrote programs"}}, {"name": "Bob", "profiles": None},
        {"name": "Cleo", "profiles": {"bio": "unknown"}}]),
    get("profiles?select=bio,authors(name)&order=author_id", [
        {"bio": "wrote programs", "authors": {"name": "Ann"}}, {"bio": "unknown", "authors": {"name": "Cleo"}}]),
    # To many.
    get("countries?select=name,authors(name)&order=id&authors.order=id", [
        {"name": "Norway", "authors": [{"name": "Ann"}, {"name": "Dan"}]},
        {"name": "Peru", "authors": [{"name": "Bob"}]},
        {"name": "Chad", "authors": []}]),
    get("countries?select=code,people:authors(id)&id=eq.1&people.order=id.desc", [
        {"code": "NO", "people": [{"id": 4}, {"id": 1}]}]),
    get("countries?select=name,authors!inner(name)&order=id&authors.order=id", [
        {"name": "Norway", "authors": [{"name": "Ann"}, {"name": "Dan"}]},
        {"name": "Peru", "authors": [{"name": "Bob"}]}]),
    get("countries?select=name,authors!authors_country!inner(name)&id=eq.2",
        [{"name": "Peru", "authors": [{"name": "Bob"}]}],
        name="a hint, then a join"),
    get("countries?select=name,authors!inner!country_id(name)&id=eq.2",
        [{"name": "Peru", "authors": [{"name": "Bob"}]}],
        name="a join, then a hint"),
    get("shelves?select=room,number,copies(id)&order=room,number", [
        {"room": "A", "number": 1, "copies": [{"id": 1}]}, {"room": "A", "number": 2, "copies": [{"id": 2}]},
        {"room": "B", "number": 1, "copies": [{"id": 3}]}]),
    # Two keys between the same relations.
    get("authors?select=name,books!books_author(title)&id=eq.1&books.order=id", [
        {"name": "Ann", "books": [{"title": "Ada"}, {"title": "Bees"}]}]),
    get("authors?select=name,books!editor_id(title)&id=eq.1", [{"name": "Ann", "books": [{"title": "Cold Sea"}]}]),
    get("authors?select=written:books!author_id(id),checked:books!editor_id(id)&id=eq.3", [
        {"written": [{"id": 4}], "checked": [{"id": 4}]}]),
    get("books?select=title,author:authors!books_author(name),editor:authors!books_editor(name)&id=eq.1", [
        {"title": "Ada", "author": {"name": "Ann"}, "editor": {"name": "Bob"}}]),
    get("books?select=author_id(name),editor_id(name)&id=eq.3", [
        {"author_id": {"name": "Bob"}, "editor_id": {"name": "Ann"}}]),
    get("books?select=title,editor:editor_id(name)&id=eq.2", [{"title": "Bees", "editor": None}]),
    refuses("authors?select=books(title)", 300, AMBIGUOUS,
        message="Could not embed because more than one relationship was found for 'authors' and 'books'",
        hint="Try changing 'books' to one of the following: 'books!books_author', 'books!books_editor'. Find the "
        "desired relationship in the 'details' key.",
        details=[
            {"cardinality": "one-to-many", "embedding": "authors with books",
             "relationship": "books_author using authors(id) and books(author_id)"},
            {"cardinality": "one-to-many", "embedding": "authors with books",
             "relationship": "books_editor using authors(id) and books(editor_id)"}]),
    refuses("books?select=authors(name)", 300, AMBIGUOUS, details=[
            {"cardinality": "many-to-one", "embedding": "books with authors",
             "relationship": "books_author using books(author_id) and authors(id)"},
            {"cardinality": "many-to-one", "embedding": "books with authors",
             "relationship": "books_editor using books(editor_id) and authors(id)"}]),
    # Many to many.
    get("books?select=id,genres(name)&order=id&genres.order=id", [
        {"id": 1, "genres": [{"name": "Science"}]}, {"id": 2, "genres": [{"name": "Science"}, {"name": "Nature"}]},
        {"id": 3, "genres": [{"name": "Nature"}]}, {"id": 4, "genres": []}, {"id": 5, "genres": [{"name": "Nature"}]}]),
    get("genres?select=name,books(id)&order=id&books.order=id", [
        {"name": "Science", "books": [{"id": 1}, {"id": 2}]},
        {"name": "Nature", "books": [{"id": 2}, {"id": 3}, {"id": 5}]},
        {"name": "Poetry", "books": []}]),
    get("genres?select=name,books!book_genres(id)&id=eq.1&books.order=id", [
        {"name": "Science", "books": [{"id": 1}, {"id": 2}]}], name="the junction as a hint"),
    get("genres?select=name,books!inner(id)&order=id&books.id=gt.2&books.order=id", [
        {"name": "Nature", "books": [{"id": 3}, {"id": 5}]}]),
    get("books?select=id,book_genres(weight,genres(name))&id=eq.3", [
        {"id": 3, "book_genres": [{"weight": 3, "genres": {"name": "Nature"}}]}], name="the junction itself"),
    # With itself.
    get("categories?select=name,categories(name)&order=id&categories.order=id", [
        {"name": "All", "categories": [{"name": "Arts"}, {"name": "Maths"}]}, {"name": "Arts", "categories": []},
        {"name": "Maths", "categories": [{"name": "Algebra"}]}, {"name": "Algebra", "categories": []}],
        name="the relation's own name is one to many"),
    get("categories?select=name,parent_id(name)&order=id", [
        {"name": "All", "parent_id": None}, {"name": "Arts", "parent_id": {"name": "All"}},
        {"name": "Maths", "parent_id": {"name": "All"}}, {"name": "Algebra", "parent_id": {"name": "Maths"}}],
        name="the key's column is many to one"),
    get("categories?select=name,children:categories!parent_id(name)&id=eq.3", [
        {"name": "Maths", "children": [{"name": "Algebra"}]}], name="the column as a hint is one to many"),
    get("categories?select=name,up:parent_id(name,up:parent_id(name))&id=eq.4", [
        {"name": "Algebra", "up": {"name": "Maths", "up": {"name": "All"}}}]),
    get("categories?select=name,categories(name,categories(name,categories(name)))&id=eq.1&categories.order=id", [
        {"name": "All", "categories": [{"name": "Arts", "categories": []},
         {"name": "Maths", "categories": [{"name": "Algebra", "categories": []}]}]}]),
    # Depth.
    get("countries?select=code,authors(name,books!books_author(title,genres(name)))&id=eq.2", [
        {"code": "PE",
        "authors": [{"name": "Bob", "books": [{"title": "Cold Sea", "genres": [{"name": "Nature"}]}]}]}]),
    get("copies?select=id,books(title,authors!books_author(name,countries(code)))&id=eq.3", [
        {"id": 3, "books": {"title": "Bees", "authors": {"name": "Ann", "countries": {"code": "NO"}}}}]),
    get("books?select=title,copies(id,shelves(wood))&id=eq.1&copies.order=id", [
        {"title": "Ada", "copies": [{"id": 1, "shelves": {"wood": "oak"}}, {"id": 2, "shelves": {"wood": "pine"}}]}]),
    # Views stand in for their tables.
    get("modern_books?select=title,authors(name)&order=id", [
        {"title": "Cold Sea", "authors": {"name": "Bob"}}, {"title": "Dust", "authors": {"name": "Cleo"}},
        {"title": "Elms, and (other) trees", "authors": None}]),
    get("authors?select=name,modern_books(title)&order=id&id=lt.4", [
        {"name": "Ann", "modern_books": []}, {"name": "Bob", "modern_books": [{"title": "Cold Sea"}]},
        {"name": "Cleo", "modern_books": [{"title": "Dust"}]}]),
    get("modern_books?select=id,genres(name)&order=id", [
        {"id": 3, "genres": [{"name": "Nature"}]}, {"id": 4, "genres": []}, {"id": 5, "genres": [{"name": "Nature"}]}]),
    get("modern_titles?select=called,authors(name)&number=eq.3", [{"called": "Cold Sea", "authors": {"name": "Bob"}}],
        name="a view of a view, whose columns are renamed"),
    get("authors?select=name,modern_titles(called)&id=eq.3", [{"name": "Cleo", "modern_titles": [{"called": "Dust"}]}]),
    get("modern_books?select=id,authors!author_id(name)&id=eq.4", [{"id": 4, "authors": {"name": "Cleo"}}]),
    get("modern_books?select=id,copies(id)&id=eq.3", [{"id": 3, "copies": [{"id": 4}]}]),
    # Functions as relationships.
    get("authors?select=name,newest_book(title)&order=id", [
        {"name": "Ann", "newest_book": {"title": "Bees"}}, {"name": "Bob", "newest_book": {"title": "Cold Sea"}},
        {"name": "Cleo", "newest_book": {"title": "Dust"}}, {"name": "Dan", "newest_book": None}]),
    get("authors?select=name,edited(id)&order=id&id=lt.3", [
        {"name": "Ann", "edited": [{"id": 3}]}, {"name": "Bob", "edited": [{"id": 1}]}]),
    get("authors?select=home(name)&id=eq.1", [{"home": {"name": "Norway"}}]),
    get("authors?select=name,edited(id,genres(name))&id=eq.2", [
        {"name": "Bob", "edited": [{"id": 1, "genres": [{"name": "Science"}]}]}]),
    get("authors?select=name,edited!inner(id)&order=id", [
        {"name": "Ann", "edited": [{"id": 3}]}, {"name": "Bob", "edited": [{"id": 1}]},
        {"name": "Cleo", "edited": [{"id": 4}]}]),
    get("authors?select=latest:newest_book(title)&id=eq.2", [{"latest": {"title": "Cold Sea"}}]),
    # Spreads.
    get("authors?select=name,...countries(country:name)&order=id", [
        {"name": "Ann", "country": "Norway"}, {"name": "Bob", "country": "Peru"}, {"name": "Cleo", "country": None},
        {"name": "Dan", "country": "Norway"}]),
    get("copies?select=id,...books(title,...authors!books_author(author:name))&order=id&id=lt.3", [
        {"id": 1, "title": "Ada", "author": "Ann"}, {"id": 2, "title": "Ada", "author": "Ann"}],
        name="a spread in a spread"),
    get("countries?select=name,...authors(authors:name)&order=id&authors.order=name", [
        {"name": "Norway", "authors": ["Ann", "Dan"]}, {"name": "Peru", "authors": ["Bob"]},
        {"name": "Chad", "authors": []}]),
    get("countries?select=name,...authors(names:name,born)&id=eq.1&authors.order=id.desc", [
        {"name": "Norway", "names": ["Dan", "Ann"], "born": [1970, 1815]}]),
    get("genres?select=name,...books(titles:title)&id=eq.1&books.order=id",
        [{"name": "Science", "titles": ["Ada", "Bees"]}]),
    get("authors?select=name,...profiles(bio)&id=eq.1", [{"name": "Ann", "bio": "wrote programs"}]),
    get("authors?select=...countries(*)&id=eq.2", [{"id": 2, "name": "Peru", "code": "PE"}]),
    get("authors?select=name,...countries!inner(code)&id=in.(2,3)", [{"name": "Bob", "code": "PE"}]),
    get("books?select=id,...authors!books_author(name,profiles(bio))&id=eq.1", [
        {"id": 1, "name": "Ann", "profiles": {"bio": "wrote programs"}}]),
    # Nothing of it shown.
    get("countries?select=name,authors()&order=id", [{"name": "Norway"}, {"name": "Peru"}, {"name": "Chad"}]),
    get("countries?select=name,authors!inner()&order=id", [{"name": "Norway"}, {"name": "Peru"}]),
    get("countries?select=name,authors!inner()&authors.born=gt.1960", [{"name": "Norway"}]),
    # Policies hold inside.
    get("books?select=id,loans(note)&order=id&id=lt.3&loans.order=id", [
        {"id": 1, "loans": [{"note": "first"}]}, {"id": 2, "loans": [{"note": "second"}]}]),
    get("books?select=id,loans(note)&order=id&id=lt.3", [
        {"id": 1, "loans": [{"note": "third"}]}, {"id": 2, "loans": []}], who="two"),
    get("books?select=id,loans(note)&id=eq.1", [{"id": 1, "loans": []}], who="anon"),
    get("books?select=id,loans!inner(note)&order=id", [{"id": 1, "loans": [{"note": "third"}]}], who="two"),
    get("my_loans?select=note,books(title)&order=id", [{"note": "third", "books": {"title": "Ada"}}], who="two"),
    # Other schemas.
    get("boxes?select=label,books(title)", [{"label": "Box", "books": {"title": "Old"}}], accept_profile="archive",
        name="relationships stay in their schema"),
    get("books?select=title,boxes(label)&order=id",
        [{"title": "Old", "boxes": [{"label": "Box"}]}, {"title": "Older", "boxes": []}],
        accept_profile="archive"),
    refuses("books?select=boxes(label)", 400, "PGRST200"),
    # Refusals.
    refuses("books?select=countries(name)", 400, "PGRST200",
        message="Could not find a relationship between 'books' and 'countries' in the schema cache",
        details="Searched for a foreign key relationship between 'books' and 'countries' in the schema 'public', "
        "but no matches were found."),
    refuses("books?select=genre(name)", 400, "PGRST200", hint="Perhaps you meant 'genres' instead of 'genre'."),
    refuses("books?select=authors!absent(name)", 400, "PGRST200",
        details="Searched for a foreign key relationship between 'books' and 'authors' using the hint 'absent' in the "
        "schema 'public', but no matches were found."),
    refuses("books?select=genres(absent)", 400, "42703"),
    refuses("books?select=genres(name", 400, "PGRST100"),
    refuses("books?select=...genres", 400, "PGRST100"),
    refuses("books?select=genres!a!b(name)", 400, "PGRST100"),
    get("books?id=eq.1&select=genres(name)", {"genres": [{"name": "Science"}]}, accept=SINGLE,
        name="one object with an embed"),
)  # fmt: skip
