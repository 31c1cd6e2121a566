using BasiqFunctions.Sandbox.Control;
using BasiqFunctions.Sandbox.Users;

namespace BasiqFunctions.Sandbox.Data;

/// <summary>What an account is, apart from its numbers and transactions. Money in cents.</summary>
internal sealed record AccountKind(
    string Class,
    string Product,
    string Name,
    long CreditLimit = 0,
    string? DepositRate = null,
    string? LendingRate = null);

/// <summary>
/// A year in the life of a household, day by day: pay, rent, groceries, bills, what is put aside, what is owed and paid
/// back. All its accounts are written in one pass, so a transfer leaves one of them on the day it reaches the other. A day
/// depends on the seed and the days before it alone: a later refresh adds days and changes none.
/// </summary>
internal sealed class Ledger
{
    private const int DaysOfData = 365;
    private const double SavingsRate = 0.0435;
    private const double TermRate = 0.0460;
    private const double MortgageRate = 0.0609;
    private const double CarRate = 0.0849;
    private const double CardRate = 0.1999;

    // Below this nobody goes out to eat.
    private const long Thrifty = 20_000;

    private readonly Household _home;
    private readonly ulong _key;
    private readonly Narration _salary;
    private readonly Book _everyday;
    private readonly Book? _savings;
    private readonly Book? _card;
    private readonly Book? _mortgage;
    private readonly Book? _carLoan;
    private readonly Book? _term;
    private readonly List<Book> _books = [];

    private Ledger(Household home, Institution bank, ulong key)
    {
        _home = home;
        _key = key;
        _salary = Narrations.SalaryFrom(home.Employer);
        var name = bank.ShortName;
        _everyday = Open("transaction", $"{name} Everyday", "Everyday Account", home.Everyday);
        if (home.Savings > 0)
            _savings = Open("savings", $"{name} Saver", "Master Savings", home.Savings, depositRate: "0.0435");
        if (home.CardLimit > 0)
            _card = Open("credit-card", $"{name} Platinum Card", "Platinum Card", -84_000, home.CardLimit, lendingRate: "0.1999");
        if (home.Mortgage > 0)
            _mortgage = Open("mortgage", $"{name} Home Loan", "Home Loan", -home.Mortgage, RoundUp(home.Mortgage), lendingRate: "0.0609");
        if (home.CarLoan > 0)
            _carLoan = Open("loan", $"{name} Car Loan", "Car Loan", -home.CarLoan, RoundUp(home.CarLoan), lendingRate: "0.0849");
        if (home.TermDeposit > 0)
            _term = Open("term-deposit", $"{name} Term Deposit", "Term Deposit", home.TermDeposit, depositRate: "0.0460");
    }

    /// <summary>The household's accounts at a bank, everyday account first.</summary>
    /// <param name="persona">Whose.</param>
    /// <param name="bank">Where.</param>
    /// <param name="seed">What every chance is derived from.</param>
    /// <param name="anchorDay">The day the bank was connected: the year before it is known.</param>
    /// <param name="asOfDay">The day of the newest data; what happened before it is posted.</param>
    public static (AccountKind Kind, TransactionSource Source)[] Write(
        Persona persona, Institution bank, int seed, int anchorDay, int asOfDay)
    {
        var key = Chance.Mix(Chance.Mix(Chance.Mix((uint)seed, persona.User.LoginId), bank.Id), (ulong)anchorDay);
        var ledger = new Ledger(persona.Household, bank, key);
        for (var day = anchorDay - DaysOfData; day < asOfDay; day++)
            ledger.Live(day);
        return [.. ledger._books.Select(b => (b.Kind, (TransactionSource)b.Close(asOfDay, ledger.IsSpentFrom(b) ? key : null)))];
    }

    private static long RoundUp(long cents) => (cents + 999_999) / 1_000_000 * 1_000_000;

    private Book Open(
        string type,
        string product,
        string name,
        long opening,
        long creditLimit = 0,
        string? depositRate = null,
        string? lendingRate = null)
    {
        var book = new Book(new AccountKind(type, product, name, creditLimit, depositRate, lendingRate), opening);
        _books.Add(book);
        return book;
    }

    private void Live(int day)
    {
        var date = DateOnly.FromDayNumber(day);
        var chance = new Sequence(Chance.Mix(_key, (ulong)day));
        Earn(day, date);
        PayBills(day, date, ref chance);
        Spend(day, date, ref chance);
        Bank(day, date);
    }

    private void Earn(int day, DateOnly date)
    {
        if (_home.FortnightlyPay > 0 && day % 14 == 3)
            _everyday.Add(day, _home.FortnightlyPay, _salary);
        if (_savings is not null && _home.MonthlySaving > 0 && date.Day == 2)
            Move(day, _everyday, _savings, _home.MonthlySaving, Narrations.ToSavings, Narrations.FromEveryday);
    }

    private void PayBills(int day, DateOnly date, ref Sequence chance)
    {
        if (_home.WeeklyRent > 0 && date.DayOfWeek == DayOfWeek.Monday)
            _everyday.Add(day, -_home.WeeklyRent, Narrations.Rent);
        switch (date.Day)
        {
            case 5:
                _everyday.Add(day, -5_900, Narrations.Phone);
                break;
            case 9:
                _everyday.Add(day, -7_999, Narrations.Internet);
                break;
            case 12:
                Paying.Add(day, -1_699, Narrations.Streaming);
                break;
            case 17:
                Paying.Add(day, -1_299, Narrations.Music);
                break;
            case 22 when date.Month % 3 == 1:
                _everyday.Add(day, -chance.Between(21_000, 44_000), Narrations.Electricity);
                break;
            case 26 when _home.Drives || _mortgage is not null:
                _everyday.Add(day, -12_450, Narrations.Insurance);
                break;
        }

        if (_home.MealsOutPerWeek >= 2 && day % 14 == 9)
            _everyday.Add(day, -3_190, Narrations.Gym);
    }

    private void Spend(int day, DateOnly date, ref Sequence chance)
    {
        if (chance.Happens(0.42))
        {
            var most = _home.Joint || _mortgage is not null ? 21_500 : 12_900;
            Paying.Add(day, -chance.Between(1_840, most), chance.Of(Narrations.Groceries));
        }

        if (_home.Drives)
        {
            if (chance.Happens(0.13))
                Paying.Add(day, -chance.Between(5_200, 10_900), chance.Of(Narrations.Fuel));
        }
        else if (chance.Happens(0.12))
        {
            Paying.Add(day, -chance.Between(4, 10) * 500, Narrations.Transit);
        }

        if (chance.Happens(0.06))
            Paying.Add(day, -chance.Between(890, 6_400), chance.Of(Narrations.Chemist));
        if (_everyday.Balance < Thrifty)
            return;
        var isWeekend = date.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday;
        if (!isWeekend && chance.Happens(0.45))
            Paying.Add(day, -chance.Between(42, 71) * 10, chance.Of(Narrations.Coffee));
        if (chance.Happens(_home.MealsOutPerWeek / 7.0))
            Paying.Add(day, -chance.Between(1_900, 11_800), chance.Of(Narrations.Meals));
        if (chance.Happens(0.05))
        {
            Paying.Add(day, -chance.Between(2_900, 18_900), chance.Of(Narrations.Shopping));
            if (chance.Happens(0.15))
                Paying.Add(day, chance.Between(2_000, 6_900), Narrations.Refund);
        }

        if (chance.Happens(0.07))
            _everyday.Add(day, -chance.Between(2, 10) * 2_000, Narrations.Cash);
    }

    private void Bank(int day, DateOnly date)
    {
        var isMonthEnd = date.AddDays(1).Day == 1;
        if (_mortgage is not null && date.Day == 15)
            Move(day, _everyday, _mortgage, _home.MortgageRepayment, Narrations.LoanRepayment, Narrations.LoanRepaymentReceived);
        if (_carLoan is not null && date.Day == 10)
            Move(day, _everyday, _carLoan, _home.CarRepayment, Narrations.LoanRepayment, Narrations.LoanRepaymentReceived);
        if (_card is not null && date.Day == 20 && _card.Balance < 0)
        {
            var payment = Math.Min(-_card.Balance, Math.Max(_everyday.Balance - Thrifty, 10_000));
            Move(day, _everyday, _card, payment, Narrations.CardPayment, Narrations.CardPaymentReceived);
            if (_card.Balance < 0)
                _card.Add(day, Interest(_card.Balance, CardRate), Narrations.CardInterest);
        }

        if (isMonthEnd)
        {
            _savings?.Add(day, Interest(_savings.Balance, SavingsRate), Narrations.InterestPaid);
            _mortgage?.Add(day, Interest(_mortgage.Balance, MortgageRate), Narrations.LoanInterest);
            _carLoan?.Add(day, Interest(_carLoan.Balance, CarRate), Narrations.LoanInterest);
            if (date.Month % 3 == 0)
                _term?.Add(day, 3 * Interest(_term.Balance, TermRate), Narrations.InterestPaid);
            if (_card is null)
                _everyday.Add(day, -500, Narrations.AccountFee);
        }

        if (_everyday.Balance < 0 && _savings is { Balance: > 0 })
        {
            var topUp = Math.Min(_savings.Balance, (-_everyday.Balance + 50_000 + 9_999) / 10_000 * 10_000);
            Move(day, _savings, _everyday, topUp, Narrations.ToEveryday, Narrations.FromSavings);
        }
    }

    /// <summary>The account that shopping is paid from.</summary>
    private Book Paying => _card is { } card && card.Balance > -card.Kind.CreditLimit * 3 / 5 ? card : _everyday;

    private bool IsSpentFrom(Book book) => book == _everyday || book == _card;

    private static void Move(int day, Book from, Book to, long amount, Narration leaving, Narration arriving)
    {
        from.Add(day, -amount, leaving);
        to.Add(day, amount, arriving);
    }

    private static long Interest(long balance, double rate) => (long)Math.Round(balance * rate / 12);

    private sealed class Book(AccountKind kind, long opening)
    {
        private readonly List<Entry> _entries = [];

        public AccountKind Kind => kind;

        public long Balance { get; private set; } = opening;

        public void Add(int day, long amount, Narration narration)
        {
            Balance += amount;
            _entries.Add(new Entry(day, amount, Balance, narration));
        }

        /// <param name="asOfDay">The day after the last that was lived.</param>
        /// <param name="key">Where pending purchases come from; null for an account that has none.</param>
        public ListedTransactions Close(int asOfDay, ulong? key)
        {
            List<Entry> pending = [];
            if (key is { } from)
            {
                var chance = new Sequence(Chance.Mix(Chance.Mix(from, kind.Class), (ulong)asOfDay));
                Narration[] purchases = [chance.Of(Narrations.Groceries), chance.Of(Narrations.Meals), chance.Of(Narrations.Coffee)];
                foreach (var purchase in purchases)
                    pending.Add(new Entry(asOfDay, -chance.Between(650, 8_900), Balance, purchase));
            }

            return new ListedTransactions([.. _entries], [.. pending], Balance);
        }
    }

    /// <summary>One day's chances, in order.</summary>
    private struct Sequence(ulong key)
    {
        private ulong _drawn;

        public bool Happens(double probability) => Chance.Unit(Next()) < probability;

        public long Between(long from, long to) => Chance.Between(Next(), from, to);

        public Narration Of(Narration[] choices) => choices[Next() % (ulong)choices.Length];

        private ulong Next() => Chance.Mix(key, _drawn++);
    }
}
