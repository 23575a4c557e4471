"""Every route of the kernel."""

from __future__ import annotations

from litestar.types import ControllerRouterHandler

from statuette.kernel.access.routes import AdminRevealRoutes
from statuette.kernel.domain.accounts.routes import AccountRoutes, AdminAccountRoutes, SigninRoutes
from statuette.kernel.domain.consent.routes import ConsentRoutes, ConsentTextRoutes
from statuette.kernel.domain.credits.routes import AdminCreditRoutes, CreditRoutes
from statuette.kernel.domain.figurines.routes import FigurineRoutes, image
from statuette.kernel.domain.generations.routes import AdminGenerationRoutes, GenerationRoutes
from statuette.kernel.domain.news.routes import AdminNewsRoutes, UnsubscribeRoutes
from statuette.kernel.domain.notices.paper_routes import AdminPaperRoutes, PaperRoutes, global_privacy_control
from statuette.kernel.domain.notices.routes import AdminPolicyRoutes, PolicyRoutes, policy_page
from statuette.kernel.domain.rights.routes import (
    AddressRoutes,
    AdminPrivacyRequestRoutes,
    PrivacyRequestRoutes,
    data_copy,
    erasure_receipt,
)
from statuette.kernel.domain.statements.routes import StatementRoutes, StatementTextRoutes
from statuette.kernel.domain.styles.routes import SiteRoutes
from statuette.kernel.domain.support.admin_routes import AdminSupportRoutes
from statuette.kernel.domain.support.routes import OwnSupportRoutes, SupportRoutes
from statuette.kernel.domain.takedowns.routes import AdminTakedownRoutes, OwnTakedownRoutes, TakedownRoutes
from statuette.kernel.domain.uploads.routes import UploadRoutes
from statuette.kernel.domain.usage.routes import AdminUsageRoutes, RatingRoutes, UsageRoutes
from statuette.kernel.evidence.report_routes import AdminReportRoutes
from statuette.kernel.evidence.routes import EvidenceRoutes, ReceiptRoutes
from statuette.kernel.http.health import healthz, readyz
from statuette.kernel.http.holds import AdminHoldRoutes
from statuette.kernel.http.plans import AdminPlanRoutes
from statuette.kernel.work.routes import AdminFindingRoutes

ROUTES: tuple[ControllerRouterHandler, ...] = (
    SiteRoutes,
    SigninRoutes,
    AccountRoutes,
    AddressRoutes,
    PrivacyRequestRoutes,
    erasure_receipt,
    data_copy,
    ConsentRoutes,
    ConsentTextRoutes,
    StatementRoutes,
    StatementTextRoutes,
    PolicyRoutes,
    PaperRoutes,
    global_privacy_control,
    UnsubscribeRoutes,
    TakedownRoutes,
    OwnTakedownRoutes,
    SupportRoutes,
    OwnSupportRoutes,
    policy_page,
    ReceiptRoutes,
    EvidenceRoutes,
    CreditRoutes,
    UploadRoutes,
    GenerationRoutes,
    FigurineRoutes,
    RatingRoutes,
    UsageRoutes,
    image,
    AdminAccountRoutes,
    AdminRevealRoutes,
    AdminCreditRoutes,
    AdminGenerationRoutes,
    AdminPrivacyRequestRoutes,
    AdminFindingRoutes,
    AdminReportRoutes,
    AdminPolicyRoutes,
    AdminPaperRoutes,
    AdminNewsRoutes,
    AdminUsageRoutes,
    AdminTakedownRoutes,
    AdminSupportRoutes,
    AdminHoldRoutes,
    AdminPlanRoutes,
    healthz,
    readyz,
)
