using System.Globalization;
using BasiqFunctions.Sandbox.Sync;

namespace BasiqFunctions.Sandbox.Users;

/// <summary>How a job fails: at which of its three steps, and what the result of that step says.</summary>
internal sealed record JobFailure(int Step, string Code, string Title, string Detail);

/// <summary>A bank of the sandbox.</summary>
internal sealed record Institution(string Id, string Name, string Bsb, string ShortName)
{
    /// <summary>As Basiq sorts banks.</summary>
    public string Type { get; init; } = "Bank";

    /// <summary>From "1", the largest, to "4".</summary>
    public string Tier { get; init; } = "3";

    /// <summary>How far its connector has come.</summary>
    public string Stage { get; init; } = "live";

    /// <summary>
    /// Its days come as an open-banking connector may give them: the moment in UTC at which they begin in Sydney, which lies on the day
    /// before. The other banks' come as midnight UTC.
    /// </summary>
    public bool GivesMoments { get; init; }

    /// <summary>After the log-in it asks for a code that it sent to a mobile; see <see cref="Challenges"/>.</summary>
    public bool AsksForCode { get; init; }

    private static readonly string[] Kinds =
        ["Bank", "Mutual", "Credit Union", "Building Society", "Direct", "Savings", "Rural", "Teachers", "Community", "Finance"];

    private static readonly string[] Places =
    [
        "Acacia", "Boronia", "Brolga", "Bunya", "Cassowary", "Curlew", "Dingo Creek", "Echidna", "Emu Plains", "Galah", "Gumtree", "Ibis", "Jabiru", "Jarrah",
        "Kauri", "Lorikeet", "Lyrebird", "Macadamia", "Magpie", "Mulga", "Myrtle", "Numbat", "Pademelon", "Pelican", "Platypus", "Possum", "Quoll", "Rosella",
        "Saltbush", "Spinifex", "Taipan", "Tamarind", "Telopea", "Wallaby", "Waratah", "Wombat", "Yabby", "Yarra Flats", "Zamia", "Zircon Hill",
    ];

    public static IReadOnlyList<Institution> All { get; } =
    [
        new("AU00000", "Hooli", "600000", "Hooli") { Type = "Test Bank", Tier = "4" },
        new("AU90001", "Banksia & Sons Mutual", "601300", "Banksia"),
        new("AU90002", "Wattle Creek Credit Union", "602450", "Wattle") { Type = "Credit Union", Tier = "4" },
        new("AU90003", "Kookaburra Direct", "603710", "Kookaburra") { Tier = "2", Stage = "beta", GivesMoments = true },
        new("AU90004", "Bottlebrush Bank", "604820", "Bottlebrush") { Tier = "1", AsksForCode = true },
    ];

    /// <summary>Banks in numbers, as Basiq has them: for whoever shows a long list.</summary>
    public static IReadOnlyList<Institution> More { get; } =
    [
        .. Kinds.SelectMany(kind => Places.Select(place => (place, kind))).Select((bank, at) => new Institution(
            string.Create(CultureInfo.InvariantCulture, $"AU8{at:d4}"), $"{bank.place} {bank.kind}", string.Create(CultureInfo.InvariantCulture, $"{700_000 + at}"), bank.place)
        {
            Type = bank.kind is "Credit Union" or "Building Society" ? bank.kind : "Bank",
            Tier = at % 25 == 0 ? "1" : at % 10 == 0 ? "2" : at % 3 == 0 ? "3" : "4",
            Stage = at % 7 == 6 ? "beta" : "live",
        }),
    ];

    public static Institution? Find(string? id) => All.FirstOrDefault(i => i.Id == id) ?? More.FirstOrDefault(i => i.Id == id);
}

/// <summary>The money of a household. Amounts are cents; 0 means that there is no such thing.</summary>
internal sealed record Household
{
    public required string FirstName { get; init; }
    public required string LastName { get; init; }
    public required DateOnly Born { get; init; }

    /// <summary>Of the numbers that Australia keeps for fiction.</summary>
    public required string Phone { get; init; }
    public required string Street { get; init; }
    public required string Suburb { get; init; }
    public required string State { get; init; }
    public required string Postcode { get; init; }
    public required string Employer { get; init; }
    public required long FortnightlyPay { get; init; }
    public required long Everyday { get; init; }
    public long WeeklyRent { get; init; }
    public long Savings { get; init; }
    public long MonthlySaving { get; init; }
    public long CardLimit { get; init; }
    public long Mortgage { get; init; }
    public long MortgageRepayment { get; init; }
    public long CarLoan { get; init; }
    public long CarRepayment { get; init; }
    public long TermDeposit { get; init; }
    public int MealsOutPerWeek { get; init; }
    public bool Drives { get; init; }
    public bool Joint { get; init; }
}

/// <summary>A test user with what stands behind the login: a household, or a way to fail.</summary>
internal sealed record Persona(TestUser User, Household Household, JobFailure? Failure = null)
{
    public static IReadOnlyList<Persona> All { get; } =
    [
        new(
            new TestUser("Wentworth-Smith", "whislter", "A couple with a mortgage, a card and savings", false),
            new Household
            {
                FirstName = "Max",
                LastName = "Wentworth-Smith",
                Born = new(1984, 3, 7),
                Phone = "+61491570006",
                Street = "14 Lorikeet Avenue",
                Suburb = "Dee Why",
                State = "NSW",
                Postcode = "2099",
                Employer = "HARBOURLINE ENGINEERING",
                FortnightlyPay = 452_180,
                Everyday = 684_215,
                Savings = 2_315_400,
                MonthlySaving = 60_000,
                CardLimit = 1_200_000,
                Mortgage = 58_420_000,
                MortgageRepayment = 398_000,
                MealsOutPerWeek = 2,
                Drives = true,
                Joint = true,
            }),
        new(
            new TestUser("Whistler", "ShowBox", "A student: one everyday account and a little saved", false),
            new Household
            {
                FirstName = "Whistler",
                LastName = "Smith",
                Born = new(2003, 11, 21),
                Phone = "+61491570156",
                Street = "3/20 Banksia Street",
                Suburb = "Brunswick",
                State = "VIC",
                Postcode = "3056",
                Employer = "LYGON BOOKSHOP",
                FortnightlyPay = 148_600,
                Everyday = 92_340,
                WeeklyRent = 26_000,
                Savings = 184_000,
                MonthlySaving = 8_000,
                MealsOutPerWeek = 2,
            }),
        new(
            new TestUser("Gilfoyle", "PiedPiper", "A renter with a card and a term deposit", false),
            new Household
            {
                FirstName = "Bertram",
                LastName = "Gilfoyle",
                Born = new(1981, 6, 30),
                Phone = "+61491570157",
                Street = "7 Ironbark Lane",
                Suburb = "Fitzroy North",
                State = "VIC",
                Postcode = "3068",
                Employer = "SOUTHBANK SYSTEMS",
                FortnightlyPay = 391_450,
                Everyday = 431_077,
                WeeklyRent = 58_000,
                Savings = 1_204_000,
                MonthlySaving = 90_000,
                CardLimit = 800_000,
                TermDeposit = 4_000_000,
                MealsOutPerWeek = 3,
            }),
        new(
            new TestUser("gavinBelson", "hooli2016", "A high earner: every class of account", false),
            new Household
            {
                FirstName = "Gavin",
                LastName = "Belson",
                Born = new(1968, 9, 12),
                Phone = "+61491570158",
                Street = "2 Harbour View Parade",
                Suburb = "Mosman",
                State = "NSW",
                Postcode = "2088",
                Employer = "BELSON HOLDINGS",
                FortnightlyPay = 1_125_900,
                Everyday = 3_850_120,
                Savings = 18_400_000,
                MonthlySaving = 450_000,
                CardLimit = 4_000_000,
                Mortgage = 164_300_000,
                MortgageRepayment = 958_000,
                CarLoan = 7_480_000,
                CarRepayment = 162_000,
                TermDeposit = 25_000_000,
                MealsOutPerWeek = 5,
                Drives = true,
            }),
        new(
            new TestUser("jared", "django", "A careful saver without debts", false),
            new Household
            {
                FirstName = "Jared",
                LastName = "Dunn",
                Born = new(1986, 4, 2),
                Phone = "+61491570159",
                Street = "11 Waratah Crescent",
                Suburb = "Norwood",
                State = "SA",
                Postcode = "5067",
                Employer = "PARKLANDS COMMUNITY SERVICES",
                FortnightlyPay = 284_300,
                Everyday = 318_604,
                WeeklyRent = 39_000,
                Savings = 3_120_500,
                MonthlySaving = 70_000,
                TermDeposit = 1_500_000,
                MealsOutPerWeek = 1,
            }),
        new(
            new TestUser("richard", "tabsnotspaces", "A renter with a car loan and a card", false),
            new Household
            {
                FirstName = "Richard",
                LastName = "Hendricks",
                Born = new(1987, 12, 5),
                Phone = "+61491570110",
                Street = "5/88 Jacaranda Road",
                Suburb = "Paddington",
                State = "QLD",
                Postcode = "4064",
                Employer = "RIVER CITY SOFTWARE",
                FortnightlyPay = 336_720,
                Everyday = 207_355,
                WeeklyRent = 48_500,
                Savings = 640_000,
                MonthlySaving = 30_000,
                CardLimit = 600_000,
                CarLoan = 2_240_000,
                CarRepayment = 54_000,
                MealsOutPerWeek = 2,
                Drives = true,
            }),
        new(
            new TestUser("ashMann", "hooli2024", "A homeowner with a mortgage and a car loan", false),
            new Household
            {
                FirstName = "Ash",
                LastName = "Mann",
                Born = new(1979, 8, 19),
                Phone = "+61491570266",
                Street = "29 Karri Drive",
                Suburb = "Fremantle",
                State = "WA",
                Postcode = "6160",
                Employer = "INDIAN OCEAN LOGISTICS",
                FortnightlyPay = 408_250,
                Everyday = 512_890,
                Savings = 880_000,
                MonthlySaving = 45_000,
                CardLimit = 1_000_000,
                Mortgage = 41_900_000,
                MortgageRepayment = 286_000,
                CarLoan = 1_860_000,
                CarRepayment = 47_500,
                MealsOutPerWeek = 2,
                Drives = true,
            }),
        new(
            new TestUser("bighead", "password", "Fails: invalid-credentials, the account is locked", true),
            Nobody("Nelson", "Bighetti"),
            new JobFailure(0, "invalid-credentials", "Invalid credentials", "Cannot log in: the account is locked.")),
        new(
            new TestUser("erlich", "aviato", "Fails: account-not-accessible-requires-user-action", true),
            Nobody("Erlich", "Bachman"),
            new JobFailure(
                0,
                "account-not-accessible-requires-user-action",
                "Account not accessible, requires user action",
                "The bank asks the user to log in to internet banking and accept its new terms.")),
        new(
            new TestUser("jianYang", "nothotdog", "Fails: service-unavailable while accounts are retrieved", true),
            Nobody("Jian", "Yang"),
            new JobFailure(1, "service-unavailable", "Service unavailable", "The bank's service is not available at the moment.")),
    ];

    private static readonly Dictionary<string, Persona> ByLogin =
        All.ToDictionary(p => p.User.LoginId, StringComparer.OrdinalIgnoreCase);

    /// <summary>Logins ignore letter case, as banks' do; passwords do not.</summary>
    public static Persona? Find(string loginId) => ByLogin.GetValueOrDefault(loginId);

    private static Household Nobody(string firstName, string lastName) => new()
    {
        FirstName = firstName,
        LastName = lastName,
        Born = new(1990, 1, 1),
        Phone = "+61491570313",
        Street = "1 Banksia Street",
        Suburb = "Newtown",
        State = "NSW",
        Postcode = "2042",
        Employer = "NONE",
        FortnightlyPay = 0,
        Everyday = 0,
    };
}
