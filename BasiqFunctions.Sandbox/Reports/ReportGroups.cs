using BasiqFunctions.Sandbox.Data;

namespace BasiqFunctions.Sandbox.Reports;

/// <summary>A group of transactions in Basiq's affordability report.</summary>
/// <param name="Id">As <c>INC-009</c>.</param>
/// <param name="Title">As Basiq has it.</param>
/// <param name="Section">Under which heading it stands.</param>
internal sealed record ReportGroup(string Id, string Title, string Section)
{
    public const string Income = "Income";
    public const string Discretionary = "Discretionary Expenses";
    public const string NonDiscretionary = "Non-Discretionary Expenses";
    public const string Other = "Other Expenses";
    public const string Liabilities = "Liabilities";

    public static readonly ReportGroup Salary = new("INC-009", "Salary", Income);
    public static readonly ReportGroup Interest = new("INC-004", "Interest Income", Income);
    public static readonly ReportGroup OtherCredits = new("INC-007", "Other Credits", Income);
    public static readonly ReportGroup Cash = new("EXP-001", "ATM Withdrawals", Other);
    public static readonly ReportGroup DebtInterest = new("EXP-006", "Debt Interest Accrual", Other);
    public static readonly ReportGroup Groceries = new("EXP-016", "Groceries", NonDiscretionary);
    public static readonly ReportGroup Telecommunication = new("EXP-036", "Telecommunication", NonDiscretionary);
    public static readonly ReportGroup Utilities = new("EXP-040", "Utilities", NonDiscretionary);
    public static readonly ReportGroup LoanRepayments = new("EXP-057", "Loan Repayments", Liabilities);
    public static readonly ReportGroup Uncategorised = new("EXP-039", "Uncategorised Debits", Discretionary);

    private static readonly Dictionary<Narration, ReportGroup?> ByNarration = Pairs().ToDictionary();

    /// <summary>The group of a transaction; null of a transfer between a person's own accounts, which is neither income nor expense.</summary>
    public static ReportGroup? Of(Entry entry) =>
        ByNarration.TryGetValue(entry.Narration, out var group) ? group
        : entry.Narration.Class.Value is "direct-credit" ? Salary
        : entry.Amount < 0 ? Uncategorised
        : OtherCredits;

    private static IEnumerable<KeyValuePair<Narration, ReportGroup?>> Pairs()
    {
        ReportGroup dining = new("EXP-008", "Dining Out", Discretionary), retail = new("EXP-031", "Retail", Discretionary);
        ReportGroup medical = new("EXP-018", "Medical", NonDiscretionary), transport = new("EXP-041", "Vehicle and Transport", Discretionary);
        ReportGroup media = new("EXP-035", "Subscription Media", Discretionary), gyms = new("EXP-017", "Gyms and memberships", Discretionary);
        ReportGroup insurance = new("EXP-021", "Insurance", NonDiscretionary), rent = new("EXP-030", "Rent", NonDiscretionary);
        ReportGroup refunds = new("EXP-032", "Returns & Refunds", Other);
        return
        [
            .. In(Groceries, Narrations.Groceries), .. In(dining, [.. Narrations.Meals, .. Narrations.Coffee]), .. In(retail, Narrations.Shopping),
            .. In(medical, Narrations.Chemist), .. In(transport, [.. Narrations.Fuel, Narrations.Transit]), .. In(media, Narrations.Streaming, Narrations.Music),
            .. In(gyms, Narrations.Gym), .. In(Utilities, Narrations.Electricity), .. In(Telecommunication, Narrations.Phone, Narrations.Internet),
            .. In(insurance, Narrations.Insurance), .. In(rent, Narrations.Rent), .. In(Cash, Narrations.Cash), .. In(refunds, Narrations.Refund),
            .. In(DebtInterest, Narrations.CardInterest, Narrations.LoanInterest), .. In(LoanRepayments, Narrations.LoanRepayment),
            .. In(Interest, Narrations.InterestPaid), .. In(Uncategorised, Narrations.AccountFee), .. In(Salary, Narrations.Salary),
            .. In(
                null,
                Narrations.ToSavings,
                Narrations.FromEveryday,
                Narrations.ToEveryday,
                Narrations.FromSavings,
                Narrations.CardPayment,
                Narrations.CardPaymentReceived,
                Narrations.LoanRepaymentReceived),
        ];

        static IEnumerable<KeyValuePair<Narration, ReportGroup?>> In(ReportGroup? group, params Narration[] narrations) =>
            narrations.Select(narration => KeyValuePair.Create(narration, group));
    }
}
